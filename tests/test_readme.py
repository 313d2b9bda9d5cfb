"""Every snippet of the README and of the pages under docs that is marked as runnable, is run."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from trainwright.cli import main
from trainwright.cli.verbs import VERBS

ROOT = Path(__file__).resolve().parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
# Shorter than what is written, and without the time that a choice of precision takes.
QUICK = (
    "train.epochs=null train.steps=2 train.threads=1 train.precision=fp32 train.memory_format=contiguous "
    "report.enabled=false"
)
MARKED = re.compile(r"<!-- run(?:: (?P<file>\S+))? -->\n```(?P<language>\w+)\n(?P<text>.*?)```", re.DOTALL)
LINK = re.compile(r"\]\((?!https?://|#)([^)#]+)")


class Snippet(NamedTuple):
    page: Path
    language: str
    text: str
    file: str | None


def snippets(language: str) -> list[Snippet]:
    found = [
        Snippet(page, match["language"], match["text"], match["file"])
        for page in PAGES
        for match in MARKED.finditer(page.read_text())
    ]
    return [snippet for snippet in found if snippet.language == language]


def test_every_mark_is_read():
    marks = sum(page.read_text().count("<!-- run") for page in PAGES)
    assert marks == sum(len(snippets(language)) for language in ("sh", "python", "yaml")) >= 4


@pytest.fixture
def place(tmp_path, make_photos, monkeypatch):
    """A user's directory with a folder of photos, a table of points in some of them, and one of houses."""
    make_photos(tmp_path / "photos", each=12)
    points = [f"photos/cat/{number}.png,3,4,{10 + number % 3},4,7,9" for number in range(12)]
    (tmp_path / "points.csv").write_text("\n".join(["picture,x0,y0,x1,y1,x2,y2", *points]))
    houses = [
        f"{60 + 5 * number},{number % 9},{'hill' if number % 2 else 'shore'},{200 + 9 * number}"
        for number in range(24)
    ]
    (tmp_path / "houses.csv").write_text("\n".join(["area,age,place,price", *houses]))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    return tmp_path


def files_like(pattern: str) -> list[str]:
    """What a shell makes of a word; nothing where it is no pattern or fits no file."""
    return sorted(map(str, Path().glob(pattern))) if "*" in pattern else []


def complaint_of(line: str, capfd) -> str:
    """What one line of a shell snippet says when it fails, else nothing.

    It runs in this process where it is a plain command, else by a shell.
    """
    if re.search(r"[|<>]", line):
        command = f'trainwright() {{ {shlex.quote(sys.executable)} -m trainwright.cli "$@"; }}\n{line}'
        done = subprocess.run(["bash", "-ec", command], capture_output=True, text=True, check=False)
        return f"{line}: {done.returncode}\n{done.stderr}" if done.returncode or done.stderr else ""
    program, *words = shlex.split(line)
    assert program == "trainwright"
    expanded = [path for word in words for path in (files_like(word) or [word])]
    code = main(expanded)
    return f"{line}: {code}\n{capfd.readouterr().err}" if code else ""


@pytest.mark.parametrize("snippet", snippets("sh"), ids=lambda item: item.text.split("\n")[0][:40])
def test_shell(snippet, place, capfd):
    for line in snippet.text.splitlines():
        command = re.sub(r"\s{2,}#.*", "", line).strip()
        if command:
            assert complaint_of(command, capfd) == ""


@pytest.mark.parametrize("snippet", snippets("python"), ids=lambda item: item.text.split("\n")[0][:40])
def test_python(snippet, place):
    exec(compile(snippet.text, str(snippet.page), "exec"), {"__name__": "__main__"})
    assert list(Path("runs").iterdir())


@pytest.mark.parametrize("snippet", snippets("yaml"), ids=lambda item: str(item.file))
def test_recipe(snippet, place, capfd):
    Path(snippet.file).write_text(snippet.text)
    assert complaint_of(f"trainwright check {snippet.file}", capfd) == ""
    assert complaint_of(f"trainwright train {snippet.file} {QUICK}", capfd) == ""


def test_the_two_commands_stand_as_they_are():
    text = (ROOT / "README.md").read_text()
    assert "\npip install uv && uv run trainwright train digits\n" in text
    assert "\npip install uv && uv run --group test pytest\n" in text
    assert "uv run --group test pytest" in (ROOT / ".ci" / "run").read_text()


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(page):
    for target in LINK.findall(page.read_text()):
        assert (page.parent / target).exists(), target


def test_the_verbs_are_those_that_there_are():
    text = (ROOT / "README.md").read_text()
    named = set(re.findall(r"(?m)^(?:.*\| )?trainwright (\w+)", text))
    assert named <= set(VERBS)
    assert set(VERBS) - named <= {"verify"} and "trainwright verify resume" in text
