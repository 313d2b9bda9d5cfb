"""Names of columns as names of modules."""

from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from trainwright.models.module_names import module_names


@given(st.lists(st.text("ab._", min_size=1, max_size=4), unique=True))
def test_unlike_columns_have_unlike_modules(columns):
    names = module_names(columns)
    assert list(names) == columns and len(set(names.values())) == len(columns)
    assert list(nn.ModuleDict({f"x{name}": nn.Identity() for name in names.values()})) == [
        f"x{name}" for name in names.values()
    ]


def test_names_without_dots_are_kept():
    assert module_names(["label", "size.cm"]) == {"label": "label", "size.cm": "size_cm"}
    assert module_names(["a.b", "a_b"]) == {"a.b": "a_b", "a_b": "a_b_"}
