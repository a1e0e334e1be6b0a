"""Draws the embedded sample: a small flora in about 1,500 photographs, with every trouble that a real set has.

    python -m sample.make --out data

writes observations.jsonl (one row per photo), photos.tar and taxonomy.csv into `data`, and what a correct
pipeline must find in them into sample/truth.json. The same seed gives the same bytes for any number of workers.
"""

import argparse
import csv
import io
import json
import logging
import tarfile
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageOps

from fieldguide.engine import EngineParams, map_shards
from fieldguide.files import write_json, written_whole
from sample.encode import encode, fingerprint
from sample.flora import FLORA, MISSING_FROM_TAXONOMY
from sample.plan import Photo, Row, plan_rows
from sample.truth import tell_truth

PHOTOS_PER_TASK = 16
FURTHEST_NEAR, NEAREST_UNRELATED = 40, 60
"""Bits of 256 (PDQ): near-duplicates must lie below the first, all other pairs above the second."""

SUFFIXES = {"gray16": "png", "rgb16": "png", "palette": "png", "bomb": "png", "unreadable": "png"}


def make_sample(out: Path, truth: Path, *, num_rows: int, seed: int, workers: int) -> dict[str, Any]:
    """Write the sample to `out` and what is true of it to the file `truth`; returns that truth."""
    rows = plan_rows(num_rows, seed)
    ids = row_ids(rows)
    uploads = {row.upload: row.photo for row in rows}
    members = {upload: _member(number, photo) for number, (upload, photo) in enumerate(uploads.items(), start=1)}
    photos = list(dict.fromkeys(uploads.values()))
    files = dict(zip(photos, draw_files(photos, seed, workers), strict=True))
    content = {"seed": seed, **tell_truth(rows, ids), "pdq": measure_gap(files)}
    _write_tar(out / "photos.tar", {members[upload]: files[photo] for upload, photo in uploads.items()})
    _write_rows(out / "observations.jsonl", rows, ids, members)
    _write_taxonomy(out / "taxonomy.csv")
    write_json(truth, content)
    return content


def row_ids(rows: list[Row]) -> list[str]:
    """The `id` of each row, in file order."""
    return [f"flora-{number:05d}" for number in range(1, len(rows) + 1)]


def draw_files(photos: list[Photo], seed: int, workers: int) -> list[bytes | None]:
    """The bytes of every photo, in order; None for one that is missing on purpose."""
    tasks = [photos[start : start + PHOTOS_PER_TASK] for start in range(0, len(photos), PHOTOS_PER_TASK)]
    engine = EngineParams(backend="loky", workers=workers)
    drawn = map_shards(partial(_draw_task, seed=seed), tasks, engine, "photos")
    return [file for task in drawn for file in task]


def measure_gap(files: dict[Photo, bytes | None]) -> dict[str, int]:
    """The largest PDQ distance between copies of one photo and the smallest between any other two.

    Raises ValueError if a near-duplicate would be missed or another pair taken for one.
    """
    usable = [photo for photo in files if photo.encoding not in ("bomb", "too_small", "truncated", "unreadable")]
    prints, shots = [], []
    for photo in usable:
        file = files[photo]
        if file and not file.startswith(b"<"):
            prints.append(fingerprint(open_upright(file)))
            shots.append((photo.plant, photo.shot))
    signs = np.array(prints, np.float32) * 2 - 1
    distances = ((256 - signs @ signs.T) / 2).astype(np.int32)
    plants, numbers = np.array(shots).T
    same = (plants[:, None] == plants) & (numbers[:, None] == numbers)
    pairs = np.triu(np.ones_like(same), 1)
    gap = {
        "largest_near": int(distances[same & pairs].max(initial=0)),
        "smallest_unrelated": int(distances[~same & pairs].min(initial=256)),
    }
    if gap["largest_near"] >= FURTHEST_NEAR or gap["smallest_unrelated"] <= NEAREST_UNRELATED:
        raise ValueError(f"near-duplicates are not clear-cut: {gap}; choose another seed")
    return gap


def open_upright(file: bytes) -> Image.Image:
    """A usable file of the sample as an RGB image, EXIF orientation applied, 16 bits reduced to 8."""
    with Image.open(io.BytesIO(file)) as image:
        if image.mode.startswith("I"):
            return Image.fromarray((np.asarray(image) // 257).astype(np.uint8)).convert("RGB")
        return ImageOps.exif_transpose(image).convert("RGB")


def _draw_task(photos: list[Photo], seed: int) -> list[bytes | None]:
    return [encode(photo, seed) for photo in photos]


def _member(number: int, photo: Photo) -> str:
    return f"flora/{number:06d}.{SUFFIXES.get(photo.encoding, 'jpg')}"


def _write_tar(path: Path, files: dict[str, bytes | None]) -> None:
    with written_whole(path) as temporary, tarfile.open(temporary, "w", format=tarfile.USTAR_FORMAT) as archive:
        for name, content in files.items():
            if content is not None:
                member = tarfile.TarInfo(name)
                member.size = len(content)
                archive.addfile(member, io.BytesIO(content))


def _write_rows(path: Path, rows: list[Row], ids: list[str], members: dict[int, str]) -> None:
    with written_whole(path) as temporary, temporary.open("w", encoding="utf-8", newline="\n") as stream:
        for row, row_id in zip(rows, ids, strict=True):
            line = {
                "id": row_id,
                "url": f"tar://{members[row.upload]}::photos.tar",
                "observation": row.observation,
                "observer": row.observer,
                "scientific_name": row.label,
                "region": row.region,
                "latitude": row.place and row.place[0],
                "longitude": row.place and row.place[1],
                "observed_on": row.date,
                "licence": row.licence or None,
                "rights_holder": row.observer,
            }
            stream.write(json.dumps(line, ensure_ascii=False) + "\n")


def _write_taxonomy(path: Path) -> None:
    with written_whole(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(("species", "genus", "family", "vernacular"))
        for species in sorted(FLORA, key=lambda species: species.name):
            if species.name != MISSING_FROM_TAXONOMY:
                writer.writerow((species.name, species.genus, species.family, species.vernacular))


def main() -> None:
    """Read the options and draw."""
    parser = argparse.ArgumentParser(prog="python -m sample.make", description="Draw the embedded sample.")
    parser.add_argument("--out", type=Path, default=Path("data"), help="folder to write (default: data)")
    parser.add_argument("--truth", type=Path, default=Path("sample/truth.json"), help="file to write what is true to")
    parser.add_argument("--num-rows", type=int, default=1500, help="about how many rows (default: 1500)")
    parser.add_argument("--seed", type=int, default=17)
    parser.add_argument("--workers", type=int, default=0, help="processes; 0 (default) means one per core")
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    truth = make_sample(
        options.out, options.truth, num_rows=options.num_rows, seed=options.seed, workers=options.workers
    )
    size = (options.out / "photos.tar").stat().st_size
    print(f"{truth['num_rows']} rows, {truth['num_kept']} to keep, {size / 1e6:.1f} MB in {options.out}")


if __name__ == "__main__":
    main()
