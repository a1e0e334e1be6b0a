"""The split stage over a made-up catalogue of any size, in seconds and megabytes: tables, figures and certificate.

Ten thousand species with a long tail, two photos an observation, 30 regions, one in fifty photos a near-duplicate of
an earlier one. Each size runs in a process of its own, so that the peak is its own.

    python -m benchmarks.split_tables --rows 1000000 10000000
"""

import argparse
import hashlib
import multiprocessing
import tempfile
import time
from pathlib import Path

import numpy as np
import polars as pl

from benchmarks.clean_tables import peak_mb
from fieldguide.files import write_table
from fieldguide.params import read_params
from fieldguide.split.params import SplitParams
from stages.split import split

NUM_SPECIES = 10_000
ROOT = Path(__file__).parents[1]


def main() -> None:
    """Print one line of a Markdown table per size."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, nargs="+", default=[100_000, 1_000_000])
    print("| rows | classes | leaked groups | s | peak MB |\n|---|---|---|---|---|", flush=True)
    context = multiprocessing.get_context("spawn")
    for num_rows in parser.parse_args().rows:
        with tempfile.TemporaryDirectory(prefix="fieldguide-") as folder:
            with context.Pool(1) as pool:
                pool.apply(write_made_up, (Path(folder), num_rows))
            with context.Pool(1) as pool:
                num_classes, leaked, seconds, peak = pool.apply(measure, (Path(folder),))
        print(f"| {num_rows:,} | {num_classes:,} | {leaked} | {seconds:.1f} | {peak:,.0f} |", flush=True)


def measure(folder: Path) -> tuple[int, int, float, float]:
    """Classes, leaked groups, seconds, peak memory in MB."""
    section = read_params(ROOT / "params.yaml")["split"]
    params = SplitParams.model_validate(section | {"ranks": ["species"], "taxonomy": None})
    started = time.perf_counter()
    metrics = split(params, fetch=folder, clean=folder, out=folder / "split", reports=folder / "reports")
    return metrics["num_classes"]["species"], metrics["leaked_groups"], time.perf_counter() - started, peak_mb()


def write_made_up(folder: Path, num_rows: int) -> None:
    """Photos and their tables in one call, so that a process of its own can hold both."""
    write_tables(folder, make_photos(num_rows))


def make_photos(num_rows: int) -> pl.DataFrame:
    """row, photo_id, observation, species and region of every photo, and `picture`: the row whose look it has."""
    random = np.random.default_rng(0)
    rows = np.arange(num_rows)
    observation = rows // 2
    species = np.minimum(random.zipf(1.3, num_rows // 2 + 1), NUM_SPECIES) - 1
    is_near = random.random(num_rows) < 0.02
    return pl.DataFrame(
        {
            "row": rows,
            # Digests, as real ids are: photos that come later stand between the earlier ones.
            "photo_id": [hashlib.sha256(b"%d" % row).hexdigest()[:16] for row in rows],
            "observation": observation,
            "species": species[observation],
            "picture": np.where(is_near, random.integers(0, np.maximum(rows, 1)), rows),
            "region": random.integers(0, 30, num_rows),
        }
    )


def write_tables(folder: Path, photos: pl.DataFrame) -> None:
    """catalogue.parquet and verdicts.parquet of photos from `make_photos`, in the order given."""
    write_table(
        photos.select(
            "photo_id",
            pl.format("observations.jsonl:{}", "row").alias("source_row"),
            pl.format("https://photos.example.org/observations/{}/original.jpg", "row").alias("url"),
            pl.col("row").cast(pl.String).str.zfill(64).alias("sha256"),
            pl.format("Genus species{}", "species").alias("label"),
            pl.format("o{}", "observation").alias("observation_id"),
            pl.format("region {}", "region").alias("region"),
            pl.lit("CC-BY-4.0").alias("licence"),
        ),
        folder / "catalogue.parquet",
    )
    cluster = pl.col("photo_id").first().over("picture")
    write_table(
        photos.select(
            "photo_id",
            pl.lit("keep").alias("verdict"),
            cluster.alias("cluster_id"),
            pl.lit(None, pl.String).alias("new_label"),
            pl.lit(63, pl.Int16).alias("searched_bits"),
        ),
        folder / "verdicts.parquet",
    )


if __name__ == "__main__":
    main()
