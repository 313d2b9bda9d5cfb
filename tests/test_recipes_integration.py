"""Every shipped recipe is validated, and trained for two steps on (a part of) the data that it names."""

from __future__ import annotations

import gzip
import json
import runpy
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from trainwright.cli import main
from trainwright.errors import RecipeError
from trainwright.recipe import load, shipped, shipped_names
from trainwright.recipe.shipped import find
from trainwright.runs.listing import all_runs

TINY = ["train.epochs=null", "train.steps=2", "train.threads=1", "train.precision=fp32", "data.workers=0"]
PER_CLASS = 8
EXAMPLES = Path(__file__).parents[1] / "examples"


def small_zip(source: Path, target: Path) -> None:
    """The first pictures of each class and split, names as they are."""
    target.parent.mkdir(parents=True)
    with zipfile.ZipFile(source) as whole, zipfile.ZipFile(target, "w") as part:
        taken: dict[str, int] = {}
        for member in whole.namelist():
            folder = member.rpartition("/")[0]
            if member.endswith(".jpg") and taken.setdefault(folder, 0) < PER_CLASS:
                taken[folder] += 1
                part.writestr(member, whole.read(member))


def small_idx(source: Path, target: Path, count: int) -> None:
    """The first items of an idx file (IDX format: two zeros, type, rank, sizes, values)."""
    raw = gzip.decompress(source.read_bytes())
    rank = raw[3]
    sizes = np.frombuffer(raw, ">i4", count=rank, offset=4)
    head = raw[:4] + np.array([count, *sizes[1:]], ">i4").tobytes()
    length = count * int(np.prod(sizes[1:]))
    target.write_bytes(gzip.compress(head + raw[4 + 4 * rank :][:length]))


def small_voc(source: Path, target: Path, count: int) -> None:
    """The first pictures of each split."""
    lists = target / "ImageSets" / "Main"
    for folder in (lists, target / "Annotations", target / "JPEGImages"):
        folder.mkdir(parents=True)
    for split in ("train", "val", "test"):
        names = (source / "ImageSets" / "Main" / f"{split}.txt").read_text().split()[:count]
        (lists / f"{split}.txt").write_text("\n".join(names))
        for name in names:
            for part in (f"Annotations/{name}.xml", f"JPEGImages/{name}.jpg"):
                (target / part).symlink_to(source / part)


@pytest.fixture(scope="module")
def data(shared_data, tmp_path_factory) -> Path:
    """The layout of the shared data with a few samples of each set."""
    root = tmp_path_factory.mktemp("data")
    small_zip(shared_data / "cifar10" / "cifar10_images.zip", root / "cifar10" / "cifar10_images.zip")
    (root / "mnist").mkdir()
    for file in (shared_data / "mnist").glob("*.gz"):
        small_idx(file, root / "mnist" / file.name, 400)
    for folder in (shared_data / "clothing10").iterdir():
        if folder.is_dir():
            (root / "clothing10" / folder.name).mkdir(parents=True)
            for photo in sorted(folder.iterdir())[:PER_CLASS]:
                (root / "clothing10" / folder.name / photo.name).symlink_to(photo)
    small_voc(shared_data / "bccd", root / "bccd", PER_CLASS)
    for small in ("tabular", "fsdd", "timeseries", "facial_keypoints", "galaxy_photoz", "camvid"):
        (root / small).symlink_to(shared_data / small)
    make = runpy.run_path(str(EXAMPLES / "boxes_in_space" / "make_pictures.py"))["make"]
    make(root / "boxes_in_space", {"training": 16, "testing": 4}, 0)
    (root / "deblur" / "BSD68").mkdir(parents=True)
    for picture in sorted((shared_data / "deblur" / "BSD68").iterdir())[:PER_CLASS]:
        # An eighth of the picture, for a network at full resolution takes seconds for a whole one.
        window = Image.open(picture).crop((0, 0, 128, 96))
        window.save(root / "deblur" / "BSD68" / picture.name)
    return root


@pytest.fixture
def weights(tmp_path) -> dict[str, Callable[[], Path]]:
    """Random weights in the form that each recipe loads: what recipes name in WEIGHTS."""
    from safetensors.torch import save_file

    from trainwright.data.types import TensorSpec
    from trainwright.models.dncnn import dncnn
    from trainwright.models.resnet_cifar import resnet_cifar

    torch.manual_seed(0)

    def mobilenet() -> Path:
        import timm

        state = timm.create_model("mobilenetv2_100", num_classes=1000).state_dict()
        save_file(state, tmp_path / "mobilenetv2.safetensors")
        return tmp_path / "mobilenetv2.safetensors"

    def published() -> Path:
        state = resnet_cifar(num_outputs=10, in_channels=3, depth=20, shortcut="A").state_dict()
        target = tmp_path / "weights" / "resnet_cifar10" / "resnet20-12fca82f.th"
        target.parent.mkdir(parents=True)
        torch.save({"state_dict": {f"module.{name}": value for name, value in state.items()}}, target)
        return tmp_path / "weights"

    def denoiser() -> Path:
        spec = {"target": TensorSpec("image", (1, 8, 8))}
        target = tmp_path / "weights" / "dncnn" / "dncnn_25.pth"
        target.parent.mkdir(parents=True)
        torch.save(dncnn(1, spec).state_dict(), target)
        return tmp_path / "weights"

    return {
        "bsd68_dncnn_published": denoiser,
        "clothing10_finetune": mobilenet,
        "clothing10_finetune_all": mobilenet,
        "cifar10_resnet20_published": published,
    }


def launch_line(name: str) -> str:
    return next(recipe.launch for recipe in shipped() if recipe.name == name)


@pytest.mark.parametrize("name", shipped_names())
def test_is_valid(name, monkeypatch):
    launch = launch_line(name)
    for variable in ("DATA", "WEIGHTS"):
        monkeypatch.setenv(variable, "/somewhere")
    recipe = load(name).recipe
    assert recipe.name == name and recipe.description
    # The launch line on top tells every variable that the text uses.
    text = find(name).read_text()
    assert ("${DATA" in text) <= ("DATA=" in launch)
    assert ("${WEIGHTS" in text) <= ("WEIGHTS=" in launch)


def test_a_variable_that_is_not_set_is_named(monkeypatch):
    monkeypatch.delenv("WEIGHTS", raising=False)
    with pytest.raises(RecipeError, match="WEIGHTS"):
        load("clothing10_finetune")


def _with_null(text: str) -> dict[str, float | None]:
    """Metrics as `--json` prints them: what is no number is null."""
    return json.loads(text, parse_constant=lambda _name: None)


@pytest.mark.parametrize("name", shipped_names())
def test_check_two_steps_evaluation_and_report(name, request, tmp_path, monkeypatch, capsys):
    launch = launch_line(name)
    if "DATA=" in launch:
        monkeypatch.setenv("DATA", str(request.getfixturevalue("data")))
    if "WEIGHTS=" in launch:
        monkeypatch.setenv("WEIGHTS", str(request.getfixturevalue("weights")[name]()))
    monkeypatch.chdir(tmp_path)
    assert main(["check", name, *TINY]) == 0, capsys.readouterr().err
    checked = capsys.readouterr()
    assert checked.out.splitlines()[-1] == "everything that can be checked before the first step is in order"
    assert "error" not in checked.err and "no effect" not in checked.out + checked.err
    assert main(["train", name, *TINY, "--quiet"]) == 0, capsys.readouterr().err
    [run] = all_runs("runs")
    record = run.record()
    assert record.progress["step"] == 2
    files = run.path.glob("evaluation/*/*.json")
    scores = {path.parent.name: _with_null(path.read_text()) for path in files}
    assert scores and all(np.isfinite(metrics["loss"]) for metrics in scores.values())
    page = run.report.read_text()
    assert page.startswith("<!doctype html>") and name in page
    capsys.readouterr()
    split = next(split for split in ("test", "val", "train") if split in scores)
    assert main(["evaluate", str(run.path), "--split", split, "--json"]) == 0
    again = json.loads(capsys.readouterr().out)[str(run.path)]
    assert again == scores[split]
