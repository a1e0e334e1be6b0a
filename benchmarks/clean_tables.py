"""What clean does once all photos are decoded: verdicts over a made-up catalogue of any size, in seconds and megabytes.

Half of the rows are strangers; the others repeat a URL, the bytes, or nearly the look (16 to 48 bits of 256) of one.
Each size runs in a process of its own, so that the peak is its own.

    python -m benchmarks.clean_tables --rows 1000000 10000000
"""

import argparse
import multiprocessing
import resource
import time
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl
import yaml

from fieldguide.clean.candidates import Edges
from fieldguide.clean.forgotten import Forgotten
from fieldguide.clean.params import CleanParams
from fieldguide.clean.screening import FACTS
from fieldguide.clean.verdicts import judge_photos

MAX_DISTANCE = 48
ROOT = Path(__file__).parents[1]


def main() -> None:
    """Print one line of a Markdown table per size."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, nargs="+", default=[100_000, 1_000_000])
    print("| rows | kept | s | peak MB, of which the catalogue |\n|---|---|---|---|", flush=True)
    context = multiprocessing.get_context("spawn")
    for num_rows in parser.parse_args().rows:
        with context.Pool(1) as pool:
            kept, seconds, peak, before = pool.apply(measure, (num_rows,))
        print(f"| {num_rows:,} | {kept:,} | {seconds:.1f} | {peak:,.0f}, {before:,.0f} |", flush=True)


def measure(num_rows: int) -> tuple[int, float, float, float]:
    """Photos kept, seconds, peak memory in MB, and that before the measured part."""
    section = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))["clean"]
    params = CleanParams.model_validate(section | {"production_only": True})
    catalogue, facts = make_catalogue(num_rows)
    before = peak_mb()
    started = time.perf_counter()
    verdicts = judge_photos(catalogue, facts, params, Forgotten(frozenset()), look_at)
    seconds = time.perf_counter() - started
    return int((verdicts["verdict"] == "keep").sum()), seconds, peak_mb(), before


def look_at(edges: Edges, places: pl.DataFrame) -> npt.NDArray[np.bool_]:
    """There are no pictures: what was made alike is alike. What looking takes is for benchmarks.clean to say."""
    return edges[2] <= MAX_DISTANCE


def peak_mb() -> float:
    """Peak resident memory of this process so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6


def make_catalogue(num_rows: int) -> tuple[pl.DataFrame, pl.DataFrame]:
    """A catalogue and the facts of its photos, one URL in seven and one content in seven repeated."""
    random = np.random.default_rng(0)
    rows = np.arange(num_rows)
    # Every row after the first half may point back to one before it.
    kind = np.where(rows < num_rows // 2, 0, random.integers(0, 4, num_rows))
    original = random.integers(0, num_rows // 2, num_rows)
    url = np.where(kind == 1, original, rows)
    content = np.where((kind == 1) | (kind == 2), original, rows)
    look = random.integers(0, 2**64, (num_rows, 4), dtype=np.uint64)
    near = kind == 3
    look[near] = look[original[near]]
    places = random.integers(0, 256, (int(near.sum()), MAX_DISTANCE))
    flips = random.integers(16, MAX_DISTANCE + 1, int(near.sum()))
    for turn in range(MAX_DISTANCE):
        chosen = np.flatnonzero(near)[flips > turn]
        bit = places[flips > turn, turn]
        look[chosen, bit // 64] ^= np.uint64(1) << (bit % 64).astype(np.uint64)
    number = pl.DataFrame({"row": rows, "url": url, "content": content})
    catalogue = number.select(
        pl.format("{}", pl.col("row").cast(pl.String).str.zfill(16)).alias("photo_id"),
        pl.lit("ok").alias("status"),
        pl.when(pl.col("row") % 5 == 4).then(pl.lit("unknown")).otherwise(pl.lit("CC-BY-4.0")).alias("licence"),
        pl.format("https://photos.example.org/observations/{}/original.jpg", "url").alias("url"),
        pl.format("{}", pl.col("content").cast(pl.String).str.zfill(64)).alias("sha256"),
        pl.format("originals-{}.tar", pl.col("url") // 1000).alias("shard"),
        (pl.col("url") % 1000 * 100_000).alias("offset"),
        pl.lit(1).alias("num_bytes"),
        pl.format("Species {}", pl.col("content") % 10_000).alias("label"),
    )
    bits = pl.Series("fingerprint", list(map(bytes, look.view("V32").reshape(-1))), dtype=pl.Binary)
    first = pl.Series(url == rows)
    facts = catalogue.select("shard", "offset").hstack([bits]).filter(first)
    plain = [pl.lit(None, dtype).alias(name) for name, dtype in FACTS.items() if name != "fingerprint"]
    return catalogue, facts.with_columns(plain).select("shard", "offset", *FACTS)


if __name__ == "__main__":
    main()
