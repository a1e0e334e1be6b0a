"""How fast `verify` reads records, beside bare Pillow decoding of the same photos: `python -m benchmarks.verify`.

verify holds every byte to its digests, parses every record, compares it with labels.parquet, and decodes its photo. The
other side gets the JPEGs alone, end to end in one file a shard, and does nothing but decode them. Both run in turn,
`--rounds` times with 1 and with 2 processes, over the same photos in the page cache; medians. The target: 0.7 of the
decode rate a core.
"""

import argparse
import io
import json
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

from fieldguide.digests import write_digests
from fieldguide.engine import EngineParams, map_shards, run_isolated
from fieldguide.records.manifest import SquareManifest
from fieldguide.records.reader import RecordSet
from fieldguide.records.writer import write_records
from fieldguide.tar import TarShardWriter
from fieldguide.verify import checking
from fieldguide.verify.outputs import find_outputs
from fieldguide.verify.places import Place
from fieldguide.verify.search import search
from tests.images.pictures import blotches, encode
from tests.records.making import ENGINE, STYLE, TAXONOMY, make_photo

SIDE = 256
QUALITY = 92
RECORDS_PER_SHARD = 256
NUM_WORKERS = (1, 2)


def main() -> None:
    """Print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photos", type=int, default=4096)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    checking.WORTH_PROCESSES = 0  # a few photos shall be shared, too
    with tempfile.TemporaryDirectory() as temporary:
        records = _make_records(Path(temporary), arguments.photos)
        piles = _pile_up(records, Path(temporary) / "jpegs")
        (output,) = find_outputs([Place(str(records))])
        print(f"{arguments.photos} photos of {SIDE} px, {sum(pile.stat().st_size for pile in piles) / 1e6:.1f} MB\n")
        print("| processes | verify, photos/s | Pillow, photos/s | ratio |\n|---|---|---|---|")
        for workers in NUM_WORKERS:
            engine = EngineParams(backend="loky", workers=workers)
            sides: dict[str, Callable[[], int]] = {
                "verify": lambda workers=workers: search(output, workers).num_photos,  # type: ignore[misc]
                "Pillow": lambda engine=engine: sum(map_shards(decode_pile, piles, engine, "decode")),  # type: ignore[misc]
            }
            rates: dict[str, list[float]] = {name: [] for name in sides}
            for number in range(arguments.rounds + 1):
                for name, run in sides.items():
                    start = time.perf_counter()
                    assert run() == arguments.photos
                    # The first round starts the processes.
                    if number:
                        rates[name].append(arguments.photos / (time.perf_counter() - start))
            ours, bare = statistics.median(rates["verify"]), statistics.median(rates["Pillow"])
            print(f"| {workers} | {ours:,.0f} | {bare:,.0f} | {ours / bare:.2f} |")


def decode_pile(pile: Path) -> int:
    """Decode the JPEGs of one shard, end to end in a file with their ends beside it."""
    content, start = pile.read_bytes(), 0
    ends = np.load(pile.with_suffix(".npy")).tolist()
    for end in ends:
        with Image.open(io.BytesIO(content[start:end]), formats=["JPEG"]) as image:
            image.load()
        start = end
    return len(ends)


def _make_records(folder: Path, num_photos: int) -> Path:
    """Blotches under noise: as large as photographs of that size, 30 kB."""
    noise = np.random.default_rng(0).normal(0, 12, (SIDE, SIDE, 3))
    with TarShardWriter(folder / "resize/train-00000.tar") as tar:
        for number in range(num_photos):
            photo_id, _, description = make_photo(number)
            pixels = np.asarray(blotches(number, SIDE, SIDE)) + np.roll(noise, number, axis=0)
            photo = Image.fromarray(pixels.clip(0, 255).astype(np.uint8))
            tar.add(f"{photo_id}.jpg", encode(photo, quality=QUALITY))
            tar.add(f"{photo_id}.json", json.dumps(description | {"box": [0, 0, SIDE, SIDE]}).encode())
    style = STYLE.model_copy(update={"size": SIDE})
    SquareManifest(style=style, num_photos={"train-00000.tar": num_photos}).write(folder / "resize")
    records = folder / "tfrecord"
    settings = {"records_per_shard": RECORDS_PER_SHARD, "salt": "s", "engine": ENGINE}
    run_isolated(write_records, folder / "resize", TAXONOMY, records, **settings)  # type: ignore[arg-type]
    write_digests(records, "tfrecord")
    return records


def _pile_up(records: Path, folder: Path) -> list[Path]:
    folder.mkdir()
    photos = [record.image for record in RecordSet.open(records, "train")]
    piles = []
    for start in range(0, len(photos), RECORDS_PER_SHARD):
        chosen = photos[start : start + RECORDS_PER_SHARD]
        pile = folder / f"{start:08d}.bin"
        pile.write_bytes(b"".join(chosen))
        np.save(pile.with_suffix(".npy"), np.cumsum([len(photo) for photo in chosen]))
        piles.append(pile)
    return piles


if __name__ == "__main__":
    main()
