"""The table of fields: what it makes of a photo comes back, and docs/formats.md lists every feature."""

import re
from dataclasses import fields
from pathlib import Path

import pytest

from fieldguide.records.described_square import Square
from fieldguide.records.example import Feature, WireError
from fieldguide.records.features import FIELDS, Description, Record, feature_specs, to_record
from tests.records.making import SIDE, TAXONOMY, make_photo

FORMATS = Path(__file__).parents[2] / "docs" / "formats.md"

_, IMAGE, FACTS = make_photo(1)
SQUARE = Square(IMAGE, SIDE, str(FACTS["photo_id"]), Description.model_validate(FACTS), TAXONOMY)


def features() -> dict[str, Feature]:
    """What a reader gets of the photo, without TensorFlow in between."""
    written = {}
    for field in FIELDS:
        per_rank = "{rank}" in field.name
        for rank in TAXONOMY.ranks if per_rank else TAXONOMY.ranks[:1]:
            value = field.write(SQUARE, rank)
            written[field.name.replace("{rank}", rank)] = value if field.shape else [value]
    return written


def test_a_record_is_what_was_written() -> None:
    record = to_record(features(), TAXONOMY)
    assert record == Record(
        photo_id=FACTS["photo_id"],
        image=IMAGE,
        labels={"species": 1, "genus": 1},
        region="north",
        box=(0, 4, SIDE, SIDE - 4),
    )
    assert list(record.labels) == TAXONOMY.ranks


def test_every_attribute_has_one_field() -> None:
    assert sorted(filter(None, (field.attribute for field in FIELDS))) == sorted(it.name for it in fields(Record))


@pytest.mark.parametrize("field", FIELDS, ids=lambda field: field.name)
def test_dtype_and_length_are_those_of_what_is_written(field) -> None:
    value = field.write(SQUARE, "species")
    values = value if field.shape else [value]
    assert len(values) == field.length
    assert {type(each) for each in values} == {{"bytes": bytes, "int64": int}[field.dtype]}


@pytest.mark.parametrize(
    ("name", "values", "message"),
    [
        ("image/filename", [b"\xff.jpg"], "feature 'image/filename' is not UTF-8"),
        ("image/region", [3], "feature 'image/region' does not hold one byte string"),
        ("image/encoded", [], "feature 'image/encoded' does not hold one byte string"),
        ("image/box", [1, 2, 3], "feature 'image/box' holds 3 integers, expected 4"),
        ("image/class/genus/label", [b"1"], "feature 'image/class/genus/label' holds 0 integers, expected 1"),
        ("image/class/genus/label", [3], "genus label 3 is not among the 3 classes"),
        ("image/class/genus/label", [-1], "genus label -1 is not among the 3 classes"),
    ],
)
def test_what_is_wrong_is_named(name: str, values: Feature, message: str) -> None:
    with pytest.raises(WireError, match=f"^{re.escape(message)}$"):
        to_record({**features(), name: values}, TAXONOMY)


def test_a_missing_feature_is_named() -> None:
    with pytest.raises(WireError, match="feature 'image/box' holds 0 integers, expected 4"):
        to_record({name: values for name, values in features().items() if name != "image/box"}, TAXONOMY)


def test_formats_lists_every_field() -> None:
    section = FORMATS.read_text(encoding="utf-8").partition("## interim/tfrecord")[2].partition("\n## ")[0]
    listed = [name for line in section.splitlines() if line.startswith("| image/") for name in _names(line)]
    assert listed == [field.name for field in FIELDS]
    assert set(feature_specs(TAXONOMY)) == set(features())


def _names(line: str) -> list[str]:
    return line.split("|")[1].strip().split(", ")
