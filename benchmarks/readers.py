"""Reading photos for training: ours, timm's loader over files, webdataset and tf.data, interleaved in one run.

    python -m benchmarks.readers --rounds 5
    python -m benchmarks.readers --photos ~/pictures --rounds 3 --batches 40

Photos are JPEGs of 256 px, 224 px are shown: a random crop of 8 to 100 % of the area, resized, and a flip; batches of
64, two workers. They are those of a folder (`--photos`, made square), the sample's if it is here, else drawn ones; the
same bytes for every reader, as files by class, as a tar and as TFRecord shards, all in the page cache. A reader ends
where a network begins, with float32 that is normalised; `ours, uint8` ends before. `bare` decodes with Pillow and
nothing else, in two processes. Every reader runs in a process of its own in every round. Rates are those behind the
first epoch's first batch; the first batch counts from when the reader is made, imports left out. CPU is the time of
all processes for a photo, which other work on the machine hardly changes.
"""

import argparse
import json
import statistics
import sys
import tempfile
from pathlib import Path

from benchmarks.fetch import ROOT, measure_process
from benchmarks.reader_arms import READERS
from benchmarks.reader_photos import gather_photos, write_everywhere

OURS = ("ours", "ours, uint8")


def main() -> None:
    """Print a Markdown table of medians, then ours over every other."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photos", type=Path, help="a folder of photos")
    parser.add_argument("--count", type=int, default=2048, help="photos in an epoch; repeated if there are fewer")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--batches", type=int, default=96, help="measured in each round")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--readers", nargs="+", choices=READERS, default=list(READERS))
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="fieldguide-") as name:
        folder = Path(name)
        photos = gather_photos(arguments.photos, arguments.count)
        write_everywhere(photos, folder)
        print(f"{len(photos)} photos of {sum(map(len, photos)) / len(photos) / 1e3:.1f} kB\n", flush=True)
        found: dict[str, list[dict[str, float]]] = {reader: [] for reader in arguments.readers}
        for number in range(arguments.rounds):
            for reader in arguments.readers:
                values = run_reader(reader, folder, arguments.batches, arguments.workers)
                found[reader].append(values)
                print(f"round {number + 1}, {reader}: {values}", file=sys.stderr, flush=True)
    print_table(found)


def run_reader(reader: str, folder: Path, num_batches: int, workers: int) -> dict[str, float]:
    """What one reader did in a process of its own: photos_per_s, first_s, cpu_us, peak_mb."""
    result = folder / "result.json"
    command = [sys.executable, "-W", "ignore", "-m", "benchmarks.reader_arms", reader, str(folder), str(result)]
    _, peak = measure_process([*command, str(num_batches), str(workers)], ROOT)
    return {**json.loads(result.read_text()), "peak_mb": peak}


def print_table(found: dict[str, list[dict[str, float]]]) -> None:
    """Medians of the rounds, and the median of the rounds' ratios."""
    print("| reader | photos/s | CPU µs/photo | first batch, s | peak MB | ours / it | ours, uint8 / it |")
    print("|---|---|---|---|---|---|---|")
    for reader, rounds in found.items():
        middle = {key: statistics.median(values[key] for values in rounds) for key in rounds[0]}
        ratios = [compare(found[own], rounds) if own in found and own != reader else "-" for own in OURS]
        print(
            f"| {reader} | {middle['photos_per_s']:,.0f} | {middle['cpu_us']:,.0f} | {middle['first_s']:.2f} "
            f"| {middle['peak_mb']:,.0f} | {' | '.join(ratios)} |"
        )


def compare(ours: list[dict[str, float]], others: list[dict[str, float]]) -> str:
    """How many times as many photos ours reads in a second."""
    pairs = zip(ours, others, strict=True)
    return f"{statistics.median(own['photos_per_s'] / other['photos_per_s'] for own, other in pairs):.2f}"


if __name__ == "__main__":
    main()
