"""Squares of every format, with the texts of the tree of life beside them, become records that all readers decode."""

import io
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fieldguide.engine import run_isolated
from fieldguide.errors import RecordError
from fieldguide.images.encode import Encoding, ImageFormat, encode
from fieldguide.records.manifest import SquareManifest
from fieldguide.records.pixels import decode
from fieldguide.records.reader import RecordSet
from fieldguide.records.shard_writer import check_image
from fieldguide.records.texts import name_taxon, write_texts
from fieldguide.records.writer import write_records
from fieldguide.tar import TarShardWriter
from fieldguide.verify.outputs import find_outputs
from fieldguide.verify.places import Place
from fieldguide.verify.search import search
from tests.records.making import ENGINE, SIDE, STYLE, TAXONOMY, make_photo

NUM_PHOTOS = 5


def make_rich(directory: Path, image_format: ImageFormat) -> Path:
    """What the resize stage leaves with this format and members: treeoflife."""
    style = STYLE.model_copy(update={"format": image_format})
    with TarShardWriter(directory / "train-00000.tar") as tar:
        for number in range(NUM_PHOTOS):
            photo_id, jpeg, description = make_photo(number)
            image = Image.open(io.BytesIO(jpeg)).convert("RGB")
            tar.add(f"{photo_id}.{image_format.ending}", encode(image, Encoding(image_format)))
            tar.add(f"{photo_id}.json", json.dumps(description | {"subject": None}).encode())
            for ending, text in write_texts(name_taxon("Aster alpinus", {}, TAXONOMY)).items():
                tar.add(f"{photo_id}.{ending}", text.encode())
    SquareManifest(style=style, num_photos={"train-00000.tar": NUM_PHOTOS}).write(directory)
    return directory


def write_and_read(folder: Path) -> dict[str, list[tuple[str, str, np.ndarray]]]:
    """Records of every format: name, format and pixels, as TensorFlow sees them."""
    from fieldguide.records.quiet_tensorflow import tf
    from fieldguide.records.tf_dataset import open_dataset

    decoders = {"jpeg": tf.io.decode_jpeg, "png": tf.io.decode_png, "webp": tf.io.decode_webp}
    seen = {}
    for each in ImageFormat:
        out = folder / each
        resized = make_rich(folder / f"resized-{each}", each)
        write_records(resized, TAXONOMY, out, records_per_shard=3, salt="salt", engine=ENGINE)
        rows = seen[each.value] = []
        for record in open_dataset(out, "train", decode=False):
            said = record["image/format"].numpy().decode()
            pixels = decoders[said](record["image/encoded"]).numpy()
            rows.append((record["image/filename"].numpy().decode(), said, pixels))
    return seen


@pytest.mark.slow
def test_every_reader_decodes_every_format(tmp_path: Path) -> None:
    seen = run_isolated(write_and_read, tmp_path)
    for each in ImageFormat:
        (output,) = find_outputs([Place(str(tmp_path / each))])
        result = search(output, 1)
        assert (result.findings, result.num_photos) == ([], NUM_PHOTOS)
        records = RecordSet.open(tmp_path / each, "train")
        assert records.style.format is each
        for record, (name, said, pixels) in zip(records, seen[each], strict=True):
            image = decode(record.image)
            assert (name, said, image.shape) == (f"{record.photo_id}.{each.ending}", each, (SIDE, SIDE, 3))
            # Its JPEGs are decoded by a faster transform, its WebPs to RGBA.
            difference = np.abs(pixels[..., :3].astype(int) - image).max()
            assert difference <= (0 if each is ImageFormat.PNG else 6)


@pytest.mark.parametrize("each", ImageFormat)
@pytest.mark.parametrize("other", ImageFormat)
def test_a_record_is_of_the_format_that_the_manifest_says(each: ImageFormat, other: ImageFormat) -> None:
    content = encode(Image.new("RGB", (SIDE, SIDE)), Encoding(other))
    if each is other:
        assert content.startswith(check_image(content, SIDE, each, "here"))
    else:
        with pytest.raises(RecordError, match=f"here is not a {each.value.upper()}"):
            check_image(content, SIDE, each, "here")
