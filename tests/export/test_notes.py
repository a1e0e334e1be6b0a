"""Tables of notes: read by their columns, refused by their line."""

from pathlib import Path

import pytest

from fieldguide.errors import ExportError
from fieldguide.export.notes import read_notes


def test_notes_and_links_by_species_whatever_else_the_table_has(tmp_path: Path) -> None:
    table = tmp_path / "taxonomy.csv"
    lines = ["species;genus;notes;link", "Aster  alpinus;Aster;On chalk.;https://a.example/1", "Linum album;Linum;;"]
    table.write_text("\ufeff" + "\n".join([*lines, "Zea mays;Zea;'=grown; "]), encoding="utf-8")
    assert read_notes(table) == {
        "Aster alpinus": {"notes": "On chalk.", "link": "https://a.example/1"},
        "Zea mays": {"notes": "=grown"},
    }


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"species,genus\nA,B\n", "line 1: columns species, genus; expected species and notes or link"),
        (b"name,notes\nA,B\n", "line 1: columns name, notes; expected species and notes or link"),
        (b"", "line 1: columns none; expected species and notes or link"),
        (b"species,link\nA,\nB,javascript:alert(1)\n", r"line 3: link is 'javascript:alert\(1\)'; expected an address"),
        (b"species,notes\nA,\xff\n", "not valid UTF-8"),
    ],
)
def test_a_wrong_table_is_named(content: bytes, message: str, tmp_path: Path) -> None:
    (tmp_path / "notes.csv").write_bytes(content)
    with pytest.raises(ExportError, match=message):
        read_notes(tmp_path / "notes.csv")


def test_a_missing_table_is_named(tmp_path: Path) -> None:
    with pytest.raises(ExportError, match=r"notes\.csv is missing; export_tfjs\.species_notes names it"):
        read_notes(tmp_path / "notes.csv")
