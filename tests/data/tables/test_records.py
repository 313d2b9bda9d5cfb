"""Where records end, against Python's own reader of CSV."""

import csv
import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainwright.data.tables.records import last_record_end, record_ends, record_lines

field = st.text(st.sampled_from(["a", "1", ",", '"', "\n", " "]), max_size=6)
plain = st.text(st.sampled_from(["a", "5", '"', " "]), min_size=1, max_size=4).filter(lambda s: s[0] != '"')


@given(st.lists(st.lists(field, min_size=2, max_size=3), min_size=1, max_size=12))
def test_records_as_python_writes_and_reads_them(rows):
    text = io.StringIO()
    csv.writer(text, lineterminator="\n", quoting=csv.QUOTE_ALL).writerows(rows)
    data = text.getvalue().encode()
    reader, starts, line = csv.reader(io.StringIO(text.getvalue())), [], 1
    for _ in reader:
        starts.append(line)
        line = reader.line_num + 1
    assert record_lines(data, 1, ",").tolist() == starts
    assert len(record_ends(data, ",")) == len(rows)
    assert last_record_end(data, ",") == len(data)
    assert last_record_end(data[:-1], ",") == (
        len(data) if len(rows) == 0 else record_ends(data, ",")[:-1].max(initial=-1) + 1
    )


@given(st.lists(st.tuples(plain, st.booleans()), min_size=1, max_size=10))
def test_a_quote_inside_a_plain_field_is_a_letter(fields):
    """Such as 5\" for inches, beside quoted fields with line breaks."""
    rows = ['"two\nlines",' + text if quoted else text + ",x" for text, quoted in fields]
    data = ("\n".join(rows) + "\n").encode()
    assert len(record_ends(data, ",")) == len(rows)
    expected = np.cumsum([1, *(2 if quoted else 1 for _, quoted in fields)])[:-1]
    assert record_lines(data, 1, ",").tolist() == expected.tolist()


@pytest.mark.parametrize(
    ("data", "length"), [(b"a,b", 0), (b'a,"b\n', 0), (b'a\n"b\nc', 2), (b"a\nb\n", 4), (b"", 0)]
)
def test_what_is_not_ended_is_left(data, length):
    assert last_record_end(data, ",") == length


def test_quotes_mean_nothing_in_json_lines():
    data = b'{"a": "x\\"y"}\n\n{"a": "z"}\n'
    assert record_lines(data, 10, None).tolist() == [10, 12]
