"""Dividing the same photos as bioclip's make_splits, interleaved: what it costs, and what each of the two guarantees.

    git clone https://github.com/Imageomics/bioclip /tmp/peers/bioclip
    python -m benchmarks.split --bioclip /tmp/peers/bioclip --rows 1000000 --rounds 3

Ours is the whole split stage, with class list, statistics, figures and certificate. Theirs draws 5 % of each source's
photos for val, one by one, and a tenth of the others for trials, as for the released set: it attempts neither groups
nor stratification, knows no species and writes nothing but the table of splits. Ours gets the same shares and no test
photos. Every process starts anew, in each round under another PYTHONHASHSEED.
"""

import argparse
import shutil
import sqlite3
import statistics
import sys
import tempfile
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import polars as pl
import yaml

from benchmarks.fetch import ROOT, measure_process
from benchmarks.split_tables import make_photos, write_tables
from fieldguide.files import write_table
from fieldguide.params import read_params
from fieldguide.split.leaks import count_leaks

SCRIPT = "scripts/evobio10m/make_splits.py"
VAL_PERCENT, SMALL_PERCENT = 5, 10
MIN_SAMPLES = 10
TABLES = {
    "eol": "content_id INT, page_id INT",
    "inat21": "filename TEXT, cls_name TEXT, cls_num INT",
    "bioscan": "part INT, filename TEXT",
}


class Run(NamedTuple):
    """What one process cost, and photo_id and split of every photo."""

    seconds: float
    peak_mb: float
    splits: pl.DataFrame


def main() -> None:
    """Print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bioclip", type=Path, required=True, help="a checkout of github.com/Imageomics/bioclip")
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3, help="two at least, to compare hash seeds")
    arguments = parser.parse_args()
    bioclip = arguments.bioclip.resolve()
    if not (bioclip / SCRIPT).is_file():
        sys.exit(f"{bioclip / SCRIPT}: not found; git clone https://github.com/Imageomics/bioclip {bioclip}")
    if arguments.rounds < 2:
        parser.error(f"--rounds is {arguments.rounds}; expected 2 or more")
    with tempfile.TemporaryDirectory(prefix="fieldguide-") as folder:
        work = Path(folder)
        write_repository(work)
        photos, num_earlier = put_late_last(make_photos(arguments.rows))
        for name, table in (("all", photos), ("earlier", photos.head(num_earlier))):
            write_tables(work / name, table)
            write_mapping(work / name / "mapping.sqlite", table)
        before = run_ours(work, "earlier", 1), run_peer(work, "earlier", 1, bioclip)
        pairs = [
            (run_ours(work, "all", seed), run_peer(work, "all", seed, bioclip))
            for seed in range(1, arguments.rounds + 1)
        ]
        columns = [
            describe(work / "all", earlier, list(runs))
            for earlier, runs in zip(before, zip(*pairs, strict=True), strict=True)
        ]
    print(f"| {len(photos):,} photos | ours | make_splits |\n|---|---|---|")
    for name, ours in columns[0].items():
        print(f"| {name} | {ours} | {columns[1][name]} |")


def put_late_last(photos: pl.DataFrame) -> tuple[pl.DataFrame, int]:
    """The photos with a hundredth of them at the end, and how many stand before those.

    Half of that hundredth are observations of their own, the others the second photo of an earlier observation.
    """
    is_late = (pl.col("row") % 400).is_in([0, 1, 3, 5])
    earlier = photos.filter(~is_late)
    return pl.concat([earlier, photos.filter(is_late)]), len(earlier)


def write_mapping(path: Path, photos: pl.DataFrame) -> None:
    """mapping.sqlite as make_mapping leaves it; its three sources have the shares of the released set, roughly."""
    tenth = pl.col("observation") % 10
    number, text = pl.col("row") + 1, pl.format("{}.jpg", "row")
    parts = {
        "eol": photos.filter(tenth < 6).select(number, pl.col("species"), "photo_id"),
        "inat21": photos.filter(tenth.is_between(6, 8)).select(
            text.alias("filename"), pl.format("Genus species{}", "species").alias("name"), "species", "photo_id"
        ),
        "bioscan": photos.filter(tenth == 9).select(number % 113, text.alias("filename"), "photo_id"),
    }
    with closing(sqlite3.connect(path)) as database, database:
        for name, columns in TABLES.items():
            database.execute(f"CREATE TABLE {name} ({columns}, evobio10m_id TEXT NOT NULL PRIMARY KEY)")
            places = ", ".join("?" * parts[name].width)
            database.executemany(f"INSERT INTO {name} VALUES ({places})", parts[name].iter_rows())


def write_repository(work: Path) -> None:
    """A folder in which the stage runs, dividing as make_splits does: train and val alone."""
    repository = work / "repository"
    repository.mkdir()
    for name in ("stages", "fieldguide"):
        (repository / name).symlink_to(ROOT / name)
    section = read_params(ROOT / "params.yaml")["split"]
    section |= {
        "ranks": ["species"],
        "taxonomy": None,
        "min_samples": MIN_SAMPLES,
        "ratios": {"train": 1 - VAL_PERCENT / 100, "val": VAL_PERCENT / 100, "test": 0.0},
        "train_small": SMALL_PERCENT / 100,
    }
    (repository / "params.yaml").write_text(yaml.safe_dump({"split": section}), encoding="utf-8")


def run_ours(work: Path, name: str, seed: int) -> Run:
    """The split stage over the tables below `name`."""
    tables, out = str(work / name), work / "ours"
    shutil.rmtree(out, ignore_errors=True)
    options = ["--fetch", tables, "--clean", tables, "--out", str(out), "--reports", str(work / "reports")]
    command = [sys.executable, "-m", "stages.split", *options]
    seconds, peak = measure_process(command, work / "repository", PYTHONHASHSEED=str(seed))
    return Run(seconds, peak, pl.read_parquet(out / "split.parquet", columns=["photo_id", "split"]))


def run_peer(work: Path, name: str, seed: int, bioclip: Path) -> Run:
    """make_splits over a fresh copy of the database below `name`: it fails where there is a split already."""
    out = work / "peer"
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir()
    mapping = shutil.copy(work / name / "mapping.sqlite", out)
    shares = ["--val-split", str(VAL_PERCENT), "--train-small-split", str(SMALL_PERCENT)]
    command = [sys.executable, str(bioclip / SCRIPT), "--db", str(mapping), *shares]
    variables = {"PYTHONPATH": str(bioclip / "src"), "PYTHONHASHSEED": str(seed)}
    seconds, peak = measure_process(command, work / "repository", **variables)
    with closing(sqlite3.connect(mapping)) as database:
        rows = database.execute("SELECT evobio10m_id, iif(is_val, 'val', 'train') FROM split").fetchall()
    return Run(seconds, peak, pl.DataFrame(rows, schema=["photo_id", "split"], orient="row"))


def describe(tables: Path, earlier: Run, runs: list[Run]) -> dict[str, str]:
    """One program's column of the table: measure to cell."""
    splits = runs[0].splits
    # make_splits has no groups: the certificate counts what it finds in the catalogue and the verdicts.
    write_table(splits.with_columns(pl.lit(None, pl.String).alias("group_id")), tables / "split.parquet")
    leaks = count_leaks(tables / "catalogue.parquet", tables / "verdicts.parquet", tables / "split.parquet")
    labels = pl.read_parquet(tables / "catalogue.parquet", columns=["photo_id", "label"])
    counts = (
        labels.join(splits, on="photo_id")
        .group_by("label")
        .agg(pl.len(), *((pl.col("split") == name).sum().alias(name) for name in ("train", "val")))
    )
    untaught = counts.filter((pl.col("val") > 0) & (pl.col("train") == 0))
    differing = max(count_differing(splits, run.splits) for run in runs[1:])
    return {
        "seconds": f"{statistics.median(run.seconds for run in runs):.1f}",
        "peak MB": f"{statistics.median(run.peak_mb for run in runs):,.0f}",
        "photos in val": f"{counts['val'].sum():,}",
        "observations shared between train and val": f"{leaks['leaked_observations']:,}",
        "near-duplicate clusters shared": f"{leaks['leaked_near_duplicates']:,}",
        "species in val": f"{counts['val'].gt(0).sum():,}",
        "species in val without a training photo": f"{len(untaught):,}",
        f"the same, of {MIN_SAMPLES} photos and more": f"{untaught['len'].ge(MIN_SAMPLES).sum():,}",
        "photos that change split when 1 % are added": f"{count_differing(earlier.splits, splits):,}",
        "same under another PYTHONHASHSEED": f"no: {differing:,} photos differ" if differing else "yes",
    }


def count_differing(one: pl.DataFrame, other: pl.DataFrame) -> int:
    """How many of the photos that both divide stand in another split."""
    both = one.join(other, on="photo_id", suffix="_other")
    return int((both["split"] != both["split_other"]).sum())


if __name__ == "__main__":
    main()
