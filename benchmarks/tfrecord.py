"""The tfrecord stage beside `cp -r` of the same bytes, interleaved.

    python -m benchmarks.tfrecord --records 1000000 --rounds 3

The bytes are squares of 1 to 2 kB with their descriptions, in tars as the resize stage leaves them. They are copied in
two ways: as those tars, and, of the first `--loose` of them, as one file each, which is how a data set of small photos
lies on a disk before it becomes records. Everything is in the page cache; `sync` ends every run, so that what is timed
is on the disk. Seconds of the processor, of all processes together, say more than seconds on a machine that is busy.
"""

import argparse
import hashlib
import io
import json
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import yaml
from PIL import Image

from benchmarks.fetch import ROOT, measure_process
from fieldguide.catalogue.taxonomy import Taxonomy
from fieldguide.images.geometry import Method
from fieldguide.params import read_params
from fieldguide.records.manifest import SquareManifest, SquareStyle
from fieldguide.tar import TarShardWriter, read_samples

SIDE = 48
PHOTOS_PER_TAR = 2048
SOURCE_SIZES = [[640, 480], [500, 375], [375, 500], [500, 333], [333, 500], [500, 500], [2048, 1536]]
SPECIES = [f"Genus{number % 40} species{number}" for number in range(400)]


def main() -> None:
    """Print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--records", type=int, default=1_000_000)
    parser.add_argument("--loose", type=int, default=100_000, help="photos that are copied as files of their own")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--memory-mb", type=int, default=1024, help="tfrecord.shuffle_memory_mb")
    arguments = parser.parse_args()
    num_loose = min(arguments.loose, arguments.records)
    with tempfile.TemporaryDirectory(prefix="fieldguide-") as folder:
        work = Path(folder)
        write_squares(work / "resize", arguments.records)
        scatter(work / "resize", work / "loose", num_loose)
        write_params(work, arguments.workers, arguments.memory_mb)
        num_bytes = sum(path.stat().st_size for path in (work / "resize").glob("*.tar"))
        print(f"{arguments.records:,} records, {num_bytes / 1e9:.2f} GB of tars, {num_loose:,} loose photos\n")
        print(
            "| round | cp tars, s | cp files, s a million | ours, s | cp tars, CPU µs | ours, CPU µs | peak MB "
            "| ours / tars | ours / files |"
        )
        print("|---|---|---|---|---|---|---|---|---|")
        rows = []
        for number in range(1, arguments.rounds + 1):
            began = measure_processor()
            tars = time_copy(work / "resize", work / "copy")
            copied = measure_processor()
            files = time_copy(work / "loose", work / "copy") * arguments.records / num_loose
            scattered = measure_processor()
            ours, peak = time_stage(work)
            processor = copied - began, measure_processor() - scattered
            rows.append((tars, files, ours, *processor, peak, ours / tars, ours / files))
            report(str(number), rows[-1], arguments.records)
        report("median", tuple(map(statistics.median, zip(*rows, strict=True))), arguments.records)


def report(title: str, row: tuple[float, ...], num_records: int) -> None:
    """One line of the table."""
    tars, files, ours, tars_processor, ours_processor, peak, by_tars, by_files = row
    million, micro = files * 1e6 / num_records, 1e6 / num_records
    print(
        f"| {title} | {tars:.1f} | {million:.1f} | {ours:.1f} | {tars_processor * micro:.1f} | "
        f"{ours_processor * micro:.1f} | {peak:,.0f} | {by_tars:.2f} | {by_files:.2f} |",
        flush=True,
    )


def measure_processor() -> float:
    """Seconds of the processor that all processes took that were started here and have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def time_copy(source: Path, copy: Path) -> float:
    """Seconds of `cp -r` and `sync`."""
    subprocess.run(["sync"], check=True)
    started = time.perf_counter()
    subprocess.run(["cp", "-r", source, copy], check=True)
    subprocess.run(["sync"], check=True)
    seconds = time.perf_counter() - started
    shutil.rmtree(copy)
    return seconds


def time_stage(work: Path) -> tuple[float, float]:
    """Seconds of the whole stage, Python's start among them, and `sync`; peak MB of all its processes together."""
    subprocess.run(["sync"], check=True)
    command = [sys.executable, "-m", "stages.tfrecord", "--resize", "resize", "--split", "resize", "--out", "records"]
    seconds, peak = measure_process(command, work, FIELDGUIDE_TRACKING="off", PYTHONPATH=str(ROOT))
    started = time.perf_counter()
    subprocess.run(["sync"], check=True)
    seconds += time.perf_counter() - started
    shutil.rmtree(work / "records")
    return seconds, peak


def write_squares(folder: Path, num_records: int) -> None:
    """What the resize stage leaves of `num_records` training photos, and the taxonomy of the split stage."""
    random = np.random.default_rng(0)
    images = [encode_noise(random) for _ in range(256)]
    num_photos = {}
    for start in range(0, num_records, PHOTOS_PER_TAR):
        numbers = range(start, min(start + PHOTOS_PER_TAR, num_records))
        name = f"train-{start // PHOTOS_PER_TAR:05d}.tar"
        num_photos[name] = len(numbers)
        with TarShardWriter(folder / name) as tar:
            for number in numbers:
                photo_id = hashlib.sha256(str(number).encode()).hexdigest()[:16]
                species = SPECIES[number % len(SPECIES)]
                facts = {
                    "photo_id": photo_id,
                    "sha256": hashlib.sha256(photo_id.encode()).hexdigest(),
                    "labels": {"species": species, "genus": species.split()[0]},
                    "region": ["north", "south", None][number % 3],
                    "source_size": SOURCE_SIZES[number % len(SOURCE_SIZES)],
                    "box": [0, 6, SIDE, SIDE - 6],
                }
                tar.add(f"{photo_id}.jpg", images[number % len(images)])
                tar.add(f"{photo_id}.json", json.dumps(facts).encode())
    Taxonomy(
        ranks=["species", "genus"],
        classes={"species": ["other", *SPECIES], "genus": ["other", *sorted({name.split()[0] for name in SPECIES})]},
        parents={"species": {name: {"genus": name.split()[0]} for name in SPECIES}, "genus": {}},
        merged_into_other={},
        vernacular={},
        regions={},
    ).write(folder / "taxonomy.json")
    style = SquareStyle(size=SIDE, method=Method.PAD, pad_color=(255, 255, 255), quality=92)
    SquareManifest(style=style, num_photos=num_photos).write(folder)


def encode_noise(random: np.random.Generator) -> bytes:
    """A JPEG of 1 to 2 kB."""
    small = Image.fromarray(random.integers(0, 256, (SIDE // 4, SIDE // 4, 3), np.uint8))
    stream = io.BytesIO()
    small.resize((SIDE, SIDE), Image.Resampling.BICUBIC).save(stream, "JPEG", quality=75)
    return stream.getvalue()


def scatter(resize: Path, folder: Path, num_photos: int) -> None:
    """Some of the photos as files in folders of a thousand."""
    samples = (sample for tar in sorted(resize.glob("*.tar")) for sample in read_samples(tar))
    for number, (key, members) in zip(range(num_photos), samples, strict=False):
        part = folder / f"{number // 1000:05d}"
        part.mkdir(parents=True, exist_ok=True)
        for suffix, content in members.items():
            (part / f"{key}.{suffix}").write_bytes(content)


def write_params(work: Path, workers: int, memory_mb: int) -> None:
    """params.yaml with the project's own section, but for what was asked for."""
    section = read_params(ROOT / "params.yaml")["tfrecord"]
    section |= {
        "records_per_shard": 16384,
        "shuffle_memory_mb": memory_mb,
        "engine": {"backend": "loky", "workers": workers},
    }
    (work / "params.yaml").write_text(yaml.safe_dump({"tfrecord": section}))


if __name__ == "__main__":
    main()
