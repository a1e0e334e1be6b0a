"""The photos of the benchmark of readers: gathered or drawn, and written as every reader wants them."""

import hashlib
import io
import json
from itertools import cycle, islice
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks.fetch import ROOT
from fieldguide.catalogue.taxonomy import Taxonomy
from fieldguide.engine import EngineParams, run_isolated
from fieldguide.images.geometry import Method
from fieldguide.records.manifest import SquareManifest, SquareStyle
from fieldguide.records.reader import RecordSet
from fieldguide.records.writer import write_records
from fieldguide.tar import TarShardWriter

SIDE = 256
QUALITY = 92
CLASSES = ["other", "Aster alpinus", "Linum album"]
STYLE = SquareStyle(size=SIDE, method=Method.PAD, pad_color=(255, 255, 255), quality=QUALITY)
SUFFIXES = (".jpg", ".jpeg", ".png", ".webp")


def gather_photos(folder: Path | None, count: int) -> list[bytes]:
    """JPEGs of SIDE px: those below `folder`, else the sample's records, else drawn ones; repeated up to `count`."""
    records = ROOT / "interim" / "tfrecord"
    if folder is not None:
        paths = sorted(path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES)
        squares = [encode_square(Image.open(path)) for path in paths[:count]]
    elif (records / "manifest.json").exists():
        sample = RecordSet.open(records, "train")
        squares = [
            encode_square(Image.open(io.BytesIO(sample.read_photo(index).image))) for index in range(len(sample))
        ]
    else:
        squares = [encode_square(draw_photo(number)) for number in range(200)]
    if not squares:
        raise SystemExit(f"{folder} has no photos; expected some of {', '.join(SUFFIXES)}")
    return list(islice(cycle(squares), count))


def encode_square(image: Image.Image) -> bytes:
    """As the resize stage's `method: squash` makes it."""
    stream = io.BytesIO()
    image.convert("RGB").resize((SIDE, SIDE), Image.Resampling.BICUBIC).save(stream, "JPEG", quality=QUALITY)
    return stream.getvalue()


def draw_photo(number: int) -> Image.Image:
    """Detail at three scales and grain: what fills the bytes of a photograph."""
    random = np.random.default_rng(number)
    layers = [
        Image.fromarray(random.integers(0, 256, (side, side, 3), np.uint8)).resize(
            (SIDE, SIDE), Image.Resampling.BICUBIC
        )
        for side in (4, 24, 96)
    ]
    pixels = np.mean([np.asarray(layer, np.float32) for layer in layers], axis=0)
    pixels += random.normal(0, 6, (SIDE, SIDE, 1)).astype(np.float32)
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))


def write_everywhere(photos: list[bytes], folder: Path) -> None:
    """`folder`/files/CLASS/ID.jpg, /tars/train-00000.tar with a `cls` beside each photo, and /records/."""
    taxonomy = Taxonomy(
        ranks=["species"],
        classes={"species": CLASSES},
        parents={"species": {}},
        merged_into_other={},
        vernacular={},
        regions={},
    )
    for name in ("resize", "tars", *(f"files/{species}" for species in CLASSES[1:])):
        (folder / name).mkdir(parents=True)
    with (
        TarShardWriter(folder / "resize" / "train-00000.tar") as squares,
        TarShardWriter(folder / "tars" / "train-00000.tar") as samples,
    ):
        for number, photo in enumerate(photos):
            key, label = hashlib.sha256(str(number).encode()).hexdigest()[:16], 1 + number % 2
            description = {
                "photo_id": key,
                "sha256": hashlib.sha256(photo).hexdigest(),
                "labels": {"species": CLASSES[label]},
                "region": None,
                "source_size": [SIDE, SIDE],
                "box": [0, 0, SIDE, SIDE],
            }
            squares.add(f"{key}.jpg", photo)
            squares.add(f"{key}.json", json.dumps(description).encode())
            samples.add(f"{key}.jpg", photo)
            samples.add(f"{key}.cls", str(label).encode())
            (folder / "files" / CLASSES[label] / f"{key}.jpg").write_bytes(photo)
    SquareManifest(style=STYLE, num_photos={"train-00000.tar": len(photos)}).write(folder / "resize")
    engine = EngineParams(backend="loky", workers=1)
    # TensorFlow may not share a process with PyTorch.
    run_isolated(
        write_records, folder / "resize", taxonomy, folder / "records", records_per_shard=512, salt="s", engine=engine
    )
