"""Show the photos that clean kept as a tree of symbolic links, `LABEL/PHOTO_ID.jpg`."""

import argparse
from pathlib import Path

import polars as pl

from fieldguide.commands.summary import Line, as_text
from fieldguide.digests import checked
from fieldguide.errors import CatalogueError

NO_LABEL = "unlabelled"
LONGEST_NAME = 255
"""Bytes that file systems allow; two labels that differ only further on share a folder."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The folder to make."""
    parser.add_argument("out", type=Path, help="the folder to make")


def run(arguments: argparse.Namespace) -> None:
    """Make the links and say how many."""
    print(as_text(link_photos(arguments.out)))


def link_photos(out: Path, root: Path = Path()) -> list[Line]:
    """Make `out/LABEL/PHOTO_ID.jpg`, a symbolic link for every photo that clean kept and that is a file of its own.

    `root` is the repository. Raises CatalogueError if nothing was cleaned yet or `out` holds something else already.
    """
    catalogue, verdicts = root / "interim/fetch/catalogue.parquet", root / "interim/clean/verdicts.parquet"
    if not verdicts.exists():
        raise CatalogueError(f"{verdicts} is missing; run the clean stage first")
    if out.exists() and any(path.is_file() and not path.is_symlink() for path in out.rglob("*")):
        raise CatalogueError(f"{out} holds files; expected an empty folder, or one of earlier links")
    kept = pl.scan_parquet(checked(verdicts)).filter(pl.col("verdict") == "keep").select("photo_id")
    photos = pl.scan_parquet(checked(catalogue)).select("photo_id", "url", "label").join(kept, on="photo_id").collect()
    wanted: dict[Path, Path] = {}
    elsewhere = 0
    for photo_id, url, label in photos.iter_rows():
        if not url.startswith("file:"):
            elsewhere += 1
            continue
        file = root / url.removeprefix("file:")
        folder = (label or NO_LABEL).replace("/", "_").encode()[:LONGEST_NAME].decode(errors="ignore")
        wanted[out / folder.lstrip(".") / f"{photo_id}{file.suffix.lower()}"] = file.absolute()
    for old in set(out.rglob("*")) - wanted.keys():
        if old.is_symlink():
            old.unlink()
    for link, file in wanted.items():
        link.parent.mkdir(parents=True, exist_ok=True)
        if not (link.is_symlink() and link.readlink() == file):
            link.unlink(missing_ok=True)
            link.symlink_to(file)
    labels = len({link.parent for link in wanted})
    return [
        ("links", f"{len(wanted):,} in {labels:,} folders below {out}"),
        *([("left out", f"{elsewhere:,} photos that are no files of their own (archives, URLs)")] if elsewhere else []),
    ]
