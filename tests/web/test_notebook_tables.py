"""web/notebook_tables.js: the notebook as tables that neither a spreadsheet nor a reader of archives misunderstands."""

import csv
import io
import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from fieldguide.export.node import WEB, run_node
from fieldguide.spreadsheet import safe_cell

FIND: dict[str, Any] = {
    "id": "0b0e4c2e-0000-4000-8000-000000000000",
    "kept": "2026-05-12T08:30:00.000Z",
    "taken": None,
    "month": 5,
    "latitude": -10.123456789,
    "longitude": 0,
    "photos": [{}, {}],
    "answer": {
        "verdict": "taxon",
        "rank": "genus",
        "name": "Aster",
        "vernacular": "",
        "probability": 0.87654321,
        "lineage": [{"rank": "family", "name": "Asteraceae"}, {"rank": "genus", "name": "Aster"}],
    },
    "alternatives": [{"rank": "species", "name": "Aster alpinus", "probability": 0.5}],
    "note": "",
    "model": "abc",
    "guide": "Alpine asters",
}
ABOUT = {"recorder": "Ada", "licence": "CC0 1.0"}


def run(tmp_path: Path, call: str, find: dict[str, Any], about: dict[str, str] = ABOUT) -> Any:
    script = tmp_path / "ask.mjs"
    script.write_text(
        f"import {{ writeCsv, writeDarwinCore }} from {json.dumps((WEB / 'notebook_tables.js').as_uri())};\n"
        f"console.log(JSON.stringify({call}([{json.dumps(find)}], {json.dumps(about)})));\n"
    )
    return json.loads(run_node(script))


def table(text: str) -> dict[str, str]:
    (row,) = csv.DictReader(io.StringIO(text), delimiter="\t", quoting=csv.QUOTE_NONE)
    return row


NOTES = ["=1+1", "+1", "-1", "@SUM(A1)", "'=1+1", "＝1", 'say "so", twice', "a - b", "it's", "", "-"]


@pytest.mark.parametrize("note", NOTES)
def test_a_note_never_runs_as_a_formula_and_is_marked_as_elsewhere(note: str, tmp_path: Path) -> None:
    text = run(tmp_path, "writeCsv", {**FIND, "note": note})
    assert text.startswith("\ufeff")
    (row,) = csv.DictReader(io.StringIO(text[1:], newline=""))
    assert row["note"] == safe_cell(note)
    # A number stays one.
    assert (row["latitude"], row["longitude"], row["probability"]) == ("-10.12346", "0", "0.8765")


def test_what_would_end_a_cell_is_a_blank(tmp_path: Path) -> None:
    find = {**FIND, "note": " one\ttwo\r\nthree\u2028four\u202e \x1b"}
    files = run(tmp_path, "writeDarwinCore", find)
    assert table(files["occurrence.txt"])["occurrenceRemarks"] == "one two three four"


def test_an_archive_says_what_was_named_and_only_that(tmp_path: Path) -> None:
    files = run(tmp_path, "writeDarwinCore", FIND)
    row = table(files["occurrence.txt"])
    named = {"scientificName": "Aster", "taxonRank": "genus", "family": "Asteraceae", "genus": "Aster", "kingdom": ""}
    assert {term: row[term] for term in named} == named
    assert (row["eventDate"], row["month"], row["geodeticDatum"]) == ("", "5", "EPSG:4326")
    assert len(files["multimedia.txt"].splitlines()) == 3
    assert f"images/{FIND['id']}-2.jpg" in files["multimedia.txt"]
    for verdict in ("outside", "unsure", "strange"):
        doubtful = run(tmp_path, "writeDarwinCore", {**FIND, "answer": {**FIND["answer"], "verdict": verdict}})
        row = table(doubtful["occurrence.txt"])
        assert {term: row[term] for term in named} == dict.fromkeys(named, "")
        assert json.loads(row["dynamicProperties"])["verdict"] == verdict


def test_meta_names_every_column(tmp_path: Path) -> None:
    files = run(tmp_path, "writeDarwinCore", FIND)
    space = {"d": "http://rs.tdwg.org/dwc/text/"}
    parts = ElementTree.fromstring(files["meta.xml"]).findall("*", space)
    assert len(parts) == 2
    for part in parts:
        location = part.findtext("d:files/d:location", "", space)
        header = files[location].splitlines()[0].split("\t")
        terms = {int(each.attrib["index"]): each.attrib["term"] for each in part.findall("d:field", space)}
        assert [terms[i].rsplit("/", 1)[1] for i in range(1, len(header))] == header[1:]
