from pathlib import Path

import pytest

from fieldguide.catalogue.rows import Fill, Row, describe_row, locate, tidy, trim
from fieldguide.errors import CatalogueError


@pytest.mark.parametrize(
    ("text", "url", "root"),
    [
        ("https://example.org/1.jpg", "https://example.org/1.jpg", None),
        ("s3://bucket/1.jpg", "s3://bucket/1.jpg", None),
        ("ftp://example.org/1.jpg", "ftp://example.org/1.jpg", None),
        ("photos/1.jpg", "file:data/photos/1.jpg", "data"),
        ("My photo 100%.jpg", "file:data/My photo 100%.jpg", "data"),
        ("file:photos/a%20b.jpg", "file:data/photos/a b.jpg", "data"),
        ("/etc/passwd", "file:/etc/passwd", "data"),
        ("file:///etc/passwd", "file:/etc/passwd", "data"),
        ("../secret.jpg", "file:data/../secret.jpg", "data"),
        ("photo-12:30.jpg", "file:data/photo-12:30.jpg", "data"),
        ("IMG  0001\u00a0.jpg", "file:data/IMG  0001\u00a0.jpg", "data"),
        ("data:image/png;base64,aaaa", "data:image/png;base64,aaaa", None),
        ("tar://a/1.jpg::photos.tar", "tar://a/1.jpg::data/photos.tar", "data"),
        ("zip://a/1.jpg::file:photos.zip", "zip://a/1.jpg::data/photos.zip", "data"),
        ("tar://1.jpg::s3://bucket/photos.tar", "tar://1.jpg::s3://bucket/photos.tar", None),
    ],
)
def test_urls_become_absolute_but_keep_no_machine_in_them(text: str, url: str, root: str | None) -> None:
    assert locate(text, Path("data")) == (url, root)


@pytest.mark.parametrize(
    ("cell", "text"),
    [(None, None), ("", None), (" \t", None), (7, "7"), (" Aster\n  alpinus\u00a0", "Aster alpinus"), ("e\u0301", "é")],
)
def test_cells_become_tidy_text(cell: object, text: str | None) -> None:
    assert tidy(cell, "here") == text


@pytest.mark.parametrize(
    ("cell", "address"),
    [
        (None, None),
        (" \t", None),
        (7, "7"),
        (" a  b\u00a0c\te\u0301%20.jpg\n", "a  b\u00a0c\te\u0301%20.jpg"),
    ],
)
def test_addresses_keep_their_bytes_but_for_their_ends(cell: object, address: str | None) -> None:
    assert trim(cell, "here") == address


def test_a_row_is_tidy_whoever_makes_it() -> None:
    row = Row(id="1", source_row="x:1", url=" a", root=None, label="Aster x\x00 frikartii", observer="\x1b[1m\u200b")
    assert (row.url, row.label, row.observer) == (" a", "Aster × frikartii", None)
    assert Fill(region="E\u202eU", licence=None, rights_holder=None).complete(row).region == "EU"


@pytest.mark.parametrize("cell", [["a"], {"a": 1}, "\ud800"])
def test_what_is_no_text_is_an_error(cell: object) -> None:
    with pytest.raises(CatalogueError, match=r"^data/x\.jsonl line 3"):
        tidy(cell, "data/x.jsonl line 3")


@pytest.mark.parametrize(("given", "split"), [("train", "train"), ("Validation", "val"), ("TEST", "test"), ("", None)])
def test_splits_take_our_names(given: str, split: str | None) -> None:
    assert describe_row({"given_split": given}, "here") == {"given_split": split}


def test_another_split_is_an_error() -> None:
    with pytest.raises(CatalogueError, match="got 'holdout'; expected one of train, val, test"):
        describe_row({"given_split": "holdout"}, "here")


def test_fill_fills_gaps_only() -> None:
    row = Row(id="1", source_row="x:1", url="http://a/1", root=None, region="EU")
    filled = Fill(region="US", licence="CC0", rights_holder=None).complete(row)
    assert (filled.region, filled.licence, filled.rights_holder) == ("EU", "CC0", None)
