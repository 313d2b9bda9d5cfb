"""How a table is written, told from its first lines."""

from __future__ import annotations

import pytest

from trainwright.data.tables.text_form import form_of

ROWS = [["a", "b", "c"], ["1.5", "x, y", "2"], ["2.5", "z", "3"]]


@pytest.mark.parametrize("sign", [",", ";", "\t", "|"])
def test_delimiters(sign):
    text = "\n".join(sign.join(f'"{field}"' if " " in field else field for field in row) for row in ROWS)
    found = form_of(text)
    assert (found.delimiter, found.width, found.header, found.decimal) == (sign, 3, True, ".")


def test_a_decimal_comma_beside_semicolons():
    found = form_of("size;price\n1,5;2\n2;3,75\n")
    assert (found.delimiter, found.decimal, found.width) == (";", ",", 2)
    assert form_of("names;n\nMiller, Ann;1\n3,5;2\n").decimal == "."  # not all of them are numbers


def test_one_column_keeps_the_usual_delimiter():
    assert form_of("a\n1\n2\n").delimiter == ","
    assert form_of("a\n1\n2\n", "\t").delimiter == "\t"
    assert form_of("").width == 0


@pytest.mark.parametrize(
    ("text", "header"),
    [
        ("5.1,3.5\n4.9,3.0\n", False),
        ("5.1,3.5,setosa\n4.9,3.0,setosa\n", False),
        ("5.1,3.5,setosa\n4.9,3.0,virginica\n", True),  # setosa may be a name
        ("0,1,2\n5,6,7\n", True),  # counted columns
        (",0,1\n0,5,6\n", True),
        ("2019,2020,2021\n5,6,7\n", True),
        ("country,2019,2020\nfi,6,7\n", True),
        ("a,b\n1,2\n", True),
        ("5.1,3.5\n", True),  # nothing to compare with
    ],
)
def test_header_or_values(text, header):
    assert form_of(text).header is header
