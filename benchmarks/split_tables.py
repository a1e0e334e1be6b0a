"""The split stage over a made-up catalogue of any size, in seconds and megabytes: tables, figures and certificate.

Ten thousand species with a long tail, two photos an observation, 30 regions, one in fifty photos a near-duplicate. Each
size runs in a process of its own, so that the peak is its own.

    python -m benchmarks.split_tables --rows 1000000 10000000
"""

import argparse
import multiprocessing
import tempfile
import time
from pathlib import Path

import numpy as np
import polars as pl
import yaml

from benchmarks.clean_tables import peak_mb
from fieldguide.files import write_table
from stages.split import SplitParams, split

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
                pool.apply(write_tables, (Path(folder), num_rows))
            with context.Pool(1) as pool:
                num_classes, leaked, seconds, peak = pool.apply(measure, (Path(folder),))
        print(f"| {num_rows:,} | {num_classes:,} | {leaked} | {seconds:.1f} | {peak:,.0f} |", flush=True)


def measure(folder: Path) -> tuple[int, int, float, float]:
    """Classes, leaked groups, seconds, peak memory in MB."""
    section = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))["split"]
    params = SplitParams.model_validate(section | {"ranks": ["species"], "taxonomy": None})
    started = time.perf_counter()
    metrics = split(params, fetch=folder, clean=folder, out=folder / "split", reports=folder / "reports")
    return metrics["num_classes"]["species"], metrics["leaked_groups"], time.perf_counter() - started, peak_mb()


def write_tables(folder: Path, num_rows: int) -> None:
    """catalogue.parquet and verdicts.parquet."""
    random = np.random.default_rng(0)
    rows = np.arange(num_rows)
    species = np.minimum(random.zipf(1.3, num_rows), NUM_SPECIES) - 1
    nearest = np.where(random.random(num_rows) < 0.02, random.integers(0, num_rows, num_rows), rows)
    number = pl.DataFrame(
        {"row": rows, "species": species, "nearest": nearest, "region": random.integers(0, 30, num_rows)}
    )
    photo_id = pl.col("row").cast(pl.String).str.zfill(16)
    write_table(
        number.select(
            photo_id.alias("photo_id"),
            pl.format("observations.jsonl:{}", "row").alias("source_row"),
            pl.format("https://photos.example.org/observations/{}/original.jpg", "row").alias("url"),
            pl.col("row").cast(pl.String).str.zfill(64).alias("sha256"),
            pl.format("Genus species{}", "species").alias("label"),
            pl.format("o{}", pl.col("row") // 2).alias("observation_id"),
            pl.format("region {}", "region").alias("region"),
            pl.lit("CC-BY-4.0").alias("licence"),
        ),
        folder / "catalogue.parquet",
    )
    cluster = pl.min_horizontal("row", "nearest").cast(pl.String).str.zfill(16)
    write_table(
        number.select(photo_id.alias("photo_id"), pl.lit("keep").alias("verdict"), cluster.alias("cluster_id")),
        folder / "verdicts.parquet",
    )


if __name__ == "__main__":
    main()
