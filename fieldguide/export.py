"""Takes rows and photos out again: `python -m fieldguide export | link`."""

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

import polars as pl

from fieldguide.catalogue.licences import licence_kind, normalise_licence
from fieldguide.catalogue.rows import Source
from fieldguide.errors import CatalogueError
from fieldguide.files import written_whole
from fieldguide.summary import Row

NO_LABEL = "unlabelled"


def export_rows(sources: Mapping[str, Source], out: Path) -> list[Row]:
    """Write every row of `sources` as a line of JSON, for an `observations` source, and count licences.

    The names in it are those of docs/formats.md, with the licence as the source writes it; what is unknown is left out.
    """
    licences: Counter[str] = Counter()
    with written_whole(out) as temporary, temporary.open("w", encoding="utf-8") as stream:
        for name, source in sources.items():
            for row in source.rows():
                licences[normalise_licence(row.licence)] += 1
                cells = {"source": name, **{key: value for key, value in asdict(row).items() if value is not None}}
                stream.write(json.dumps(cells, ensure_ascii=False) + "\n")
    total = licences.total()
    shares = [
        (licence, f"{count:,} ({count / total:.1%}), {licence_kind(licence)}")
        for licence, count in licences.most_common()
    ]
    return [("rows", f"{total:,}"), *shares]


def link_photos(out: Path, root: Path = Path()) -> list[Row]:
    """Make `out/LABEL/PHOTO_ID.jpg`, a symbolic link for every photo that clean kept and that is a file of its own.

    `root` is the repository. Raises CatalogueError if nothing was cleaned yet or `out` holds something else already.
    """
    catalogue, verdicts = root / "interim/fetch/catalogue.parquet", root / "interim/clean/verdicts.parquet"
    if not verdicts.exists():
        raise CatalogueError(f"{verdicts} is missing; run the clean stage first")
    if out.exists() and any(path.is_file() and not path.is_symlink() for path in out.rglob("*")):
        raise CatalogueError(f"{out} holds files; expected an empty folder, or one of earlier links")
    kept = pl.scan_parquet(verdicts).filter(pl.col("verdict") == "keep").select("photo_id")
    photos = pl.scan_parquet(catalogue).select("photo_id", "url", "label").join(kept, on="photo_id").collect()
    wanted: dict[Path, Path] = {}
    elsewhere = 0
    for photo_id, url, label in photos.iter_rows():
        if not url.startswith("file:"):
            elsewhere += 1
            continue
        file = root / url.removeprefix("file:")
        folder = (label or NO_LABEL).replace("/", "_")
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
