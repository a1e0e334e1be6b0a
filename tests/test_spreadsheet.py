"""A table that a spreadsheet opens as text, and that reads back as what was written."""

import csv
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fieldguide.spreadsheet import plain_cell, safe_cell, write_csv


@pytest.mark.parametrize(
    ("cell", "written"),
    [
        ("Aster alpinus", "Aster alpinus"),
        ('=HYPERLINK("http://example.org")', '\'=HYPERLINK("http://example.org")'),
        ("+ Laburnocytisus adamii", "'+ Laburnocytisus adamii"),
        ("-2+3", "'-2+3"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("＝1+1", "'＝1+1"),
        ("\t=1+1", "\\t=1+1"),
        ("a\x1b[31m", r"a\x1b[31m"),
        ("'t Hooft", "'t Hooft"),
        (-0.5, -0.5),
        (None, None),
    ],
)
def test_no_text_is_a_formula(cell: object, written: object) -> None:
    assert safe_cell(cell) == written


@given(st.text(st.sampled_from("'=+-@a "), max_size=6))
def test_marks_come_off_again(text: str) -> None:
    assert plain_cell(str(safe_cell(text))) == text


def test_a_table_reads_back(tmp_path: Path) -> None:
    write_csv(tmp_path / "t.csv", ["label", "count"], [("=1", 2), ('a,"b"', -1)])
    with (tmp_path / "t.csv").open(newline="") as stream:
        assert list(csv.reader(stream)) == [["label", "count"], ["'=1", "2"], ['a,"b"', "-1"]]
