"""The list of decisions: what a line does, and which lines are none."""

import logging
from pathlib import Path

import polars as pl
import pytest

from fieldguide.clean.decisions import Decisions, parse_decision, read_choices, read_decisions, write_decisions
from fieldguide.errors import CatalogueError

A, B, C = "a" * 16, "b" * 16, "c" * 16
CATALOGUE = pl.DataFrame({"photo_id": [A, B, C], "label": ["Aster alpinus", "Aster bellus", None]})


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def test_a_list_is_read_as_it_was_written(tmp_path: Path):
    decided = {B: "relabel:Aster alpinus", A: "drop"}
    write_decisions(tmp_path / "decisions.csv", Decisions(decided, {}))
    assert (tmp_path / "decisions.csv").read_text() == f"photo_id,decision\n{A},drop\n{B},relabel:Aster alpinus\n"
    assert read_decisions(tmp_path / "decisions.csv").of_photo == decided
    assert read_decisions(tmp_path / "none.csv").of_photo == {}


def test_what_a_list_does_to_rows():
    decided = Decisions({A: "drop", B: "relabel:Linum album"}, {})
    table = CATALOGUE.with_columns(*decided.columns())
    assert table["is_decided_out"].to_list() == [True, False, False]
    assert table["new_label"].to_list() == [None, "Linum album", None]
    nothing = CATALOGUE.with_columns(*Decisions({}, {}).columns())
    assert nothing.select("is_decided_out", "new_label").rows() == [(False, None)] * 3


@pytest.mark.parametrize(
    ("text", "suggested", "decision"),
    [
        ("drop", "", "drop"),
        (" Drop ", "", "drop"),
        ("relabel:Aster  bellus ", "", "relabel:Aster bellus"),
        ("relabel: a: b", "", "relabel:a: b"),
        ("relabel", "Linum album", "relabel:Linum album"),
    ],
)
def test_words(text: str, suggested: str, decision: str):
    assert parse_decision(text, suggested, "line 1") == decision


@pytest.mark.parametrize("text", ["", "dorp", "drop:", "relabel", "relabel:", "relabel: ", "keep"])
def test_other_words_are_refused(text: str):
    with pytest.raises(CatalogueError, match=r"^line 1: decision .* is unknown; expected drop or relabel:NEW LABEL$"):
        parse_decision(text, "", "line 1")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("photo,decision\n", "line 1: got photo,decision; expected photo_id,decision"),
        ("", "line 1: got nothing; expected photo_id,decision"),
        (f"photo_id,decision\n{A},keep\n", "line 2: decision 'keep' is unknown"),
        (f"photo_id,decision\n{A},\n", "line 2: decision '' is unknown"),
        ("photo_id,decision\n12,drop\n", "line 2: photo_id '12' is none; expected 16 hexadecimal digits"),
        (
            f"photo_id,decision\n{A},drop\n{A},relabel:x\n",
            f"line 3: photo {A} is to relabel:x, but .* line 2 says drop",
        ),
    ],
)
def test_a_line_that_cannot_be_understood_is_named(tmp_path: Path, content: str, message: str):
    path = write(tmp_path / "decisions.csv", content)
    with pytest.raises(CatalogueError, match=f"^{path} {message}"):
        read_decisions(path)


def test_an_unknown_photo_is_named(tmp_path: Path):
    path = write(tmp_path / "decisions.csv", f"photo_id,decision\n{A},drop\n{'f' * 16},drop\n")
    with pytest.raises(CatalogueError, match=f"line 3: no photo '{'f' * 16}' in the catalogue; remove the line"):
        read_decisions(path).check(CATALOGUE)


def test_a_new_name_is_told(caplog: pytest.LogCaptureFixture):
    with caplog.at_level(logging.WARNING):
        Decisions({A: "relabel:Aster belus", B: "relabel:Aster alpinus"}, {A: "here", B: "there"}).check(CATALOGUE)
    assert caplog.messages == ["here: no photo of the sources has the label 'Aster belus'; nearest is 'Aster bellus'"]


def test_a_filled_in_list_of_suspects_is_taken(tmp_path: Path):
    path = write(
        tmp_path / "review.csv",
        f"photo_id,kind,label,suggested,score,decision\n{A},label,x,Linum album,0.9,relabel\n{B},label,x,y,0.5,\n"
        f"{C},outlier,x,,4,drop\n",
    )
    assert read_choices(path).of_photo == {A: "relabel:Linum album", C: "drop"}
    with pytest.raises(CatalogueError, match=r"is missing; expected a copy of reports/embed/suspects\.csv"):
        read_choices(tmp_path / "none.csv")
