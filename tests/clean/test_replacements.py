"""Which photos may stand in for broken ones, and what a wrong list says."""

from pathlib import Path

import polars as pl
import pytest

from fieldguide.clean.replacements import read_replacements, suggest_replacements
from fieldguide.errors import CatalogueError

PHOTOS = [
    # photo_id, label, rights_holder, reason
    ("p0", "Arctia caja", "Ada", "truncated"),
    ("p1", "Arctia caja", "Ada", "kept"),
    ("p2", "Arctia caja", "Bo", "kept"),
    ("p3", "Arctia caja", "Ada", "kept"),
    ("p4", "Arctia caja", "Ada", "unreadable"),
    ("p5", "Arctia caja", "Ada", "empty"),
    ("p6", "Bellis perennis", "Ada", "near_duplicate"),
    ("p7", "Bellis perennis", None, "not_an_image"),
    ("p8", "Bellis perennis", None, "kept"),
]
TABLE = pl.DataFrame(PHOTOS, schema=["photo_id", "label", "rights_holder", "reason"], orient="row").with_columns(
    pl.when(pl.col("reason") == "kept").then(pl.lit("keep")).otherwise(pl.lit("drop")).alias("verdict")
)
CATALOGUE, VERDICTS = TABLE.select("photo_id", "label", "rights_holder"), TABLE.select("photo_id", "verdict", "reason")


def read(path: Path, *lines: str) -> dict[str, str]:
    path.write_text("".join(f"{line}\n" for line in lines))
    return read_replacements(path, CATALOGUE, VERDICTS)


def test_what_is_suggested_is_accepted(tmp_path: Path) -> None:
    path = tmp_path / "replacements.csv"
    assert suggest_replacements(CATALOGUE, VERDICTS, path) == (2, 2)
    assert path.read_text() == "photo,replacement\np0,p1\np4,p3\n"
    assert read_replacements(path, CATALOGUE, VERDICTS) == {"p0": "p1", "p4": "p3"}


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["photo,by"], "line 1: no column 'replacement'; expected photo, replacement"),
        (["photo,replacement", "p0,p9"], "line 2: no photo 'p9' in the catalogue"),
        (["photo,replacement", "p0,p1", "p0,p3"], "line 3: p0 has a replacement already"),
        (["photo,replacement", "p1,p3"], "line 2: p1 is kept; expected one that cannot be used"),
        (["photo,replacement", "p0,p6"], "line 2: p6 is near_duplicate; expected one that was kept"),
        (["photo,replacement", "p0,p2"], "line 2: rights_holder of p0 is 'Ada', of p2 'Bo'"),
        (["photo,replacement", "p0,p8"], "line 2: label of p0 is 'Arctia caja', of p8 'Bellis perennis'"),
    ],
)
def test_a_wrong_list_is_named(tmp_path: Path, lines: list[str], message: str) -> None:
    with pytest.raises(CatalogueError, match=f"r.csv {message}"):
        read(tmp_path / "r.csv", *lines)


def test_a_missing_list_is_named(tmp_path: Path) -> None:
    with pytest.raises(CatalogueError, match=r"r\.csv is missing; clean\.replacements names it"):
        read_replacements(tmp_path / "r.csv", CATALOGUE, VERDICTS)
