"""The list of the forgotten: what a line speaks of, and which lines are none."""

from pathlib import Path

import polars as pl
import pytest

from fieldguide.clean.forgotten import COPY_BITS, Forgotten, Line, read_forgotten, write_forgotten
from fieldguide.errors import CatalogueError

CATALOGUE = pl.DataFrame(
    {
        "photo_id": ["a" * 16, "b" * 16, "c" * 16],
        "sha256": ["1" * 64, None, "3" * 64],
        "url": ["https://example.org/A.jpg", "https://example.org/a.jpg", "file:data/c.jpg"],
        "observer": ["Ada Alder", "ada alder", None],
        "rights_holder": [None, None, "Museum"],
    }
)
PICTURE = bytes(range(32))


def flipped(num_bits: int) -> bytes:
    """PICTURE but for its first bits."""
    return (int.from_bytes(PICTURE) ^ ((1 << num_bits) - 1)).to_bytes(32)


@pytest.mark.parametrize(
    ("kind", "text", "rows"),
    [
        ("photo_id", "b" * 16, [1]),
        ("photo_id", "d" * 16, []),
        ("bytes", "1" * 64, [0]),
        ("url", "https://example.org/a.jpg", [1]),
        ("url", "file:data/c.jpg", [2]),
        ("observer", "Ada Alder", [0, 1]),
        ("observer", " ada\u00a0 Alder\u200b", [0, 1]),
        ("observer", "Ada", []),
        ("rights_holder", "MUSEUM", [2]),
        ("fingerprint", PICTURE.hex(), [0, 1]),
    ],
)
def test_a_line_speaks_of_rows(kind: str, text: str, rows: list[int]) -> None:
    prints = pl.Series([flipped(0), flipped(COPY_BITS), flipped(COPY_BITS + 1)], dtype=pl.Binary)
    found = Forgotten(frozenset({Line.of(kind, text)})).find(CATALOGUE, prints)
    assert found.to_list() == [kind if row in rows else None for row in range(3)]


def test_an_empty_list_speaks_of_nothing_and_needs_no_columns() -> None:
    found = Forgotten(frozenset()).find(CATALOGUE.select("photo_id"), pl.Series([None] * 3, dtype=pl.Binary))
    assert found.to_list() == [None] * 3


def test_rows_without_a_picture_are_like_none() -> None:
    lines = frozenset({Line("fingerprint", PICTURE.hex())})
    assert Forgotten(lines).find(CATALOGUE, pl.Series([None] * 3, dtype=pl.Binary)).to_list() == [None] * 3


def test_a_list_is_read_as_it_was_written_and_names_nobody(tmp_path: Path) -> None:
    lines = {Line.of("observer", "Ada Alder"), Line.of("photo_id", "a" * 16), Line.of("url", "https://x.org/ada.jpg")}
    write_forgotten(tmp_path / "forgotten.csv", lines)
    assert read_forgotten(tmp_path / "forgotten.csv") == Forgotten(frozenset(lines))
    text = (tmp_path / "forgotten.csv").read_text()
    assert text.startswith("kind,value\n")
    assert "ada" not in text.lower()


def test_no_list_is_an_empty_list(tmp_path: Path) -> None:
    assert read_forgotten(tmp_path / "forgotten.csv") == Forgotten(frozenset())


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("what,value\n", r"line 1: got \['what', 'value'\]; expected kind,value"),
        ("", "line 1: got None; expected kind,value"),
        ("kind,value\nname,aa\n", "line 2: kind 'name' is unknown; expected one of photo_id, bytes, url"),
        ("kind,value\nphoto_id,aaaaaaaaaaaaaaaa\nbytes,zz\n", "line 3: got 'zz'; expected 64 hexadecimal digits"),
        ("kind,value\nobserver\n", "line 2: got ''; expected 64 hexadecimal digits"),
    ],
)
def test_what_is_no_line_is_named(content: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "forgotten.csv").write_text(content)
    with pytest.raises(CatalogueError, match=message):
        read_forgotten(tmp_path / "forgotten.csv")
