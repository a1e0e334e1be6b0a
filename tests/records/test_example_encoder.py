"""Many photos at once, with what they share made once, are the Examples that protobuf writes of each."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fieldguide.files import salted_unit
from fieldguide.records.described_square import Square
from fieldguide.records.example_encoder import ExampleEncoder
from fieldguide.records.features import Description, Field, expand
from fieldguide.records.kinds import Form
from fieldguide.records.manifest import PixelStyle
from fieldguide.tar import read_samples
from tests.records import test_example
from tests.records.making import SIDE, TAXONOMY, make_photo

STYLE = {"mean": (0.4, 0.5, 0.6), "std": (0.2, 0.25, 0.3)}
FORMS = [
    Form(),
    Form("raw", PixelStyle(dtype="uint8", **STYLE)),
    Form("raw", PixelStyle(dtype="float32", **STYLE)),
    Form("lab"),
]


def describe(square: Square, fields: tuple[Field, ...]) -> dict[str, list[Any]]:
    """The values of every feature by name."""
    values = {name: field.write(square, rank) for name, rank, field in expand(fields, TAXONOMY.ranks)}
    single = {name for name, _, field in expand(fields, TAXONOMY.ranks) if not field.shape}
    return {name: [value] if name in single else np.ravel(value).tolist() for name, value in values.items()}


@pytest.mark.parametrize("form", FORMS, ids=lambda form: f"{form.kind}-{form.pixels and form.pixels.dtype}")
def test_is_what_protobuf_writes(form: Form) -> None:
    fields = form.fields(SIDE)
    encoder = ExampleEncoder(fields, TAXONOMY)
    squares = []
    for number in range(8):
        photo_id, image, description = make_photo(number)
        squares.append(Square(image, SIDE, photo_id, Description.model_validate(description), TAXONOMY))
    expected = [test_example.encode(describe(square, fields)) for square in squares]
    assert list(encoder.encode(squares, [encoder.prepare(square) for square in squares])) == expected


def test_a_template_is_that_of_all_photos_with_its_facts() -> None:
    encoder = ExampleEncoder(Form().fields(SIDE), TAXONOMY)
    photo_id, image, description = make_photo(1)
    described = Description.model_validate(description)
    other = described.model_copy(update={"photo_id": "f" * 16, "sha256": "0" * 64})
    one, two = (
        Square(content, SIDE, each.photo_id, each, TAXONOMY) for content, each in ((image, described), (b"", other))
    )
    assert photo_id == one.photo_id
    assert encoder.prepare(one) == encoder.prepare(two)


def test_a_finished_shard_is_what_protobuf_writes(resized: Path, finished: Path) -> None:
    """The oracle of all fast paths: one photo after the other, by other programs."""
    fields = Form().fields(SIDE)
    records = {}
    for tar in resized.glob("train-*.tar"):
        for photo_id, members in read_samples(tar):
            description = Description.model_validate(json.loads(members["json"]))
            square = Square(members["jpg"], SIDE, photo_id, description, TAXONOMY)
            records[photo_id] = test_example.frame(test_example.encode(describe(square, fields)))
    expected = b"".join(records[photo_id] for photo_id in sorted(records, key=lambda key: salted_unit("salt", key)))
    assert b"".join(path.read_bytes() for path in sorted(finished.glob("train-*.tfrecord"))) == expected
