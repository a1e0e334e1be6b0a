"""Whom the bundle names, and which photos it may carry at all."""

from pathlib import Path

import polars as pl
import pytest

from fieldguide.export.credits import LicenceCount, count_licences, may_pass_on, read_credits

CATALOGUE = pl.DataFrame(
    [
        ("a", "CC-BY-4.0", "Naturalis", "Jane Doe"),
        ("b", "CC-BY-4.0", None, "Jane Doe"),
        ("b", "CC0-1.0", "another label", None),
        ("c", "CC-BY-4.0", "NA", "4711"),
        ("d", "CC0-1.0", None, None),
        ("e", "CC-BY-4.0", "n/a", "李"),
    ],
    schema=["photo_id", "licence", "rights_holder", "observer"],
    orient="row",
)


def test_who_holds_no_rights_took_the_photo(tmp_path: Path) -> None:
    CATALOGUE.write_parquet(tmp_path / "catalogue.parquet")
    credits = read_credits(tmp_path / "catalogue.parquet", ["a", "b", "c", "d", "e", "absent"])
    assert credits.rows() == [
        ("a", "CC-BY-4.0", "Naturalis"),
        ("b", "CC-BY-4.0", "Jane Doe"),
        ("c", "CC-BY-4.0", None),
        ("d", "CC0-1.0", None),
        ("e", "CC-BY-4.0", "李"),
    ]
    assert count_licences(credits) == [LicenceCount("CC-BY-4.0", 4, 3), LicenceCount("CC0-1.0", 1, 0)]


@pytest.mark.parametrize(
    ("licence", "rights_holder", "allowed"),
    [
        ("CC-BY-4.0", "Jane", True),
        ("CC-BY-4.0", None, False),
        ("CC-BY-SA", None, False),
        ("MIT", None, False),
        ("CC0-1.0", None, True),
        ("PDM-1.0", None, True),
        ("CC-BY-NC-4.0", "Jane", False),
        ("unknown", "Jane", False),
    ],
)
def test_no_photo_goes_out_without_the_name_that_its_licence_asks_for(
    licence: str, rights_holder: str | None, allowed: bool
) -> None:
    assert may_pass_on(licence, rights_holder) is allowed
