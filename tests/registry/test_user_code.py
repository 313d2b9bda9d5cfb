import functools
from pathlib import Path

import pytest

from trainwright import registry
from trainwright.errors import RecipeError, UserError

pytestmark = pytest.mark.usefixtures("samples")

NET = '''
from __future__ import annotations
from typing import TYPE_CHECKING, Literal
if TYPE_CHECKING:
    import nothing_like_it

DEAD_WHEN = {"Net": {"slope": "kind != 'leaky'"}}
VERSION = "1.2.3"

class Odd: ...

class Net:
    """My net."""
    def __init__(self, num_classes, width: int = 64, *, kind: Literal["leaky", "plain"] = "plain",
                 slope: float = 0.1, depth=3, norm=Odd, other: nothing_like_it.Thing = None):
        self.given = dict(num_classes=num_classes, width=width, kind=kind, slope=slope, norm=norm)
        self.depth = depth

def loss(output, target, class_weights=None, *, gamma: float = 2.0):
    return (output, target, class_weights, gamma)

SETTING = 3

def open_ended(num_classes, **options): ...

def needs_more(num_classes, temperature, /): ...
'''


def test_user_class_is_described(user_module):
    path = user_module("my_nets", NET)
    info = registry.describe("model", "my_nets:Net")
    assert info.user_code
    assert info.positional == ("num_classes",)
    names = ["width", "kind", "slope", "depth", "norm", "other"]
    assert [item.name for item in info.parameters] == names
    assert Path(info.source_file or "") == path
    assert info.version == 1


def test_user_class_is_checked_and_built(user_module):
    user_module("my_nets", NET)
    net = registry.build("model", {"name": "my_nets:Net", "width": 8}, num_classes=5, in_channels=3)
    assert net.given["width"] == 8
    assert net.given["num_classes"] == 5
    assert net.given["norm"].__name__ == "Odd"


def test_default_that_is_no_data_is_left_to_the_constructor(user_module):
    user_module("my_nets", NET)
    spec = registry.validate("model", "my_nets:Net")
    assert spec == {
        "name": "my_nets:Net", "width": 64, "kind": "plain", "slope": 0.1, "depth": 3, "other": None,
    }  # fmt: skip


def test_unannotated_parameter_is_accepted_and_reported(user_module):
    user_module("my_nets", NET)
    checked = registry.check("model", {"name": "my_nets:Net", "depth": "deep"})
    assert not checked.problems
    assert checked.notices == ["model my_nets:Net: `depth` has no readable annotation and is not checked"]


def test_annotations_are_checked(user_module):
    user_module("my_nets", NET)
    assert len(registry.check("model", {"name": "my_nets:Net", "width": "8"}).problems) == 1
    assert len(registry.check("model", {"name": "my_nets:Net", "norm": "batch"}).notices) == 1


def test_dead_when_of_user_code(user_module):
    user_module("my_nets", NET)
    (problem,) = registry.check("model", {"name": "my_nets:Net", "slope": 0.3}).problems
    assert problem.why == "kind is `plain`"


def test_bind_is_a_partial(user_module):
    user_module("my_nets", NET)
    bound = registry.bind("loss", {"name": "my_nets:loss", "gamma": 1})
    assert isinstance(bound, functools.partial)
    assert bound(1, 2, class_weights=3) == (1, 2, 3, 1.0)


def test_open_ended_signature_is_refused(user_module):
    user_module("my_nets", NET)
    with pytest.raises(RecipeError, match=r"takes `\*\*options`"):
        registry.describe("model", "my_nets:open_ended")


def test_argument_that_nobody_gives_is_refused(user_module):
    user_module("my_nets", NET)
    with pytest.raises(RecipeError, match="positional argument `temperature`"):
        registry.describe("model", "my_nets:needs_more")


def test_what_cannot_be_called_is_refused(user_module):
    user_module("my_nets", NET)
    with pytest.raises(RecipeError, match="is a int, not a class or a function"):
        registry.describe("model", "my_nets:SETTING")


def test_missing_attribute_names_the_closest(user_module):
    user_module("my_nets", NET)
    with pytest.raises(RecipeError) as caught:
        registry.describe("model", "my_nets:Nett")
    assert caught.value.fix == "did you mean `Net`?"
    assert caught.value.exit_code == 2


def test_a_module_of_ones_own_behind_an_installed_one_of_its_name(user_module, tmp_path):
    (tmp_path / "statistics.py").write_text(NET)
    import statistics  # noqa: F401 - of Python, which is found first

    with pytest.raises(RecipeError, match="`statistics` has no `Net`") as caught:
        registry.describe("model", "statistics:Net")
    assert str(tmp_path / "statistics.py") in caught.value.why
    assert caught.value.fix.startswith("rename statistics.py")


def test_a_dot_in_place_of_the_colon(user_module):
    user_module("my_nets", NET)
    with pytest.raises(RecipeError) as caught:
        registry.describe("model", "my_nets.Net")
    assert caught.value.fix.startswith("did you mean `my_nets:Net`?")


def test_a_dot_in_a_name_of_nothing_suggests_no_module():
    with pytest.raises(RecipeError) as caught:
        registry.describe("model", "zzz_not_there.Net")
    assert "zzz_not_there:Net" not in caught.value.fix


def test_a_package_that_a_module_lacks_is_to_be_installed(user_module):
    user_module("my_layers", "import some_package_nobody_has\n")
    with pytest.raises(RecipeError) as caught:
        registry.import_user_module("my_layers")
    assert "install the package that brings some_package_nobody_has" in caught.value.fix


def test_missing_module_says_where_it_was_searched(user_module, tmp_path):
    with pytest.raises(RecipeError, match="no module `my_net_that_is_not`") as caught:
        registry.describe("model", "my_net_that_is_not:Net")
    assert str(tmp_path) in caught.value.why


def test_missing_parent_package(user_module):
    with pytest.raises(RecipeError, match="no module `my_missing`"):
        registry.describe("model", "my_missing.nets:Net")


@pytest.mark.parametrize(
    ("text", "said", "line"),
    [
        ("x = 1\nimport not_there_at_all\n", "No module named 'not_there_at_all'", 2),
        ("\n\nraise ValueError('boom')\n", "ValueError: boom", 3),
        ("def f(:\n", "SyntaxError", 1),
        ("import sys\nsys.exit(3)\n", "SystemExit: 3", 2),
        ("def f():\n    return 1 / 0\n\nf()\n", "ZeroDivisionError", 2),
    ],
)
def test_failing_import_names_file_and_line(user_module, text: str, said: str, line: int):
    path = user_module("my_broken", text)
    with pytest.raises(RecipeError) as caught:
        registry.describe("model", "my_broken:Net")
    assert said in caught.value.what
    assert caught.value.why == f"raised at {path}:{line}"
    assert caught.value.exit_code == 2


@pytest.mark.parametrize("name", ["my_nets:", ":Net", "a b:c", "x:y:z"])
def test_what_is_no_target(name: str):
    with pytest.raises(RecipeError, match="is not `module:attribute`"):
        registry.describe("model", name)


def test_a_module_without_a_constructor_takes_nothing(user_module):
    user_module(
        "plain_nets",
        "from torch import nn\nclass Net(nn.Module):\n    def forward(self, x):\n        return x\n",
    )
    info = registry.describe("model", "plain_nets:Net")
    assert info.parameters == () and info.needs == ()
    user_module("open_nets", "from torch import nn\nclass Net(nn.Sequential):\n    pass\n")
    with pytest.raises(RecipeError, match=r"takes `\*args`"):
        registry.describe("model", "open_nets:Net")


def test_a_constructor_that_exits_is_an_error(user_module):
    path = user_module("exits", "import sys\nclass Rate:\n    def __init__(self):\n        sys.exit(3)\n")
    with pytest.raises(UserError) as caught:
        registry.build("schedule", "exits:Rate")
    assert caught.value.what == "exits:Rate could not be built: SystemExit: 3"
    assert caught.value.why == f"raised at {path}:4"
