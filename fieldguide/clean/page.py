"""The page that shows what clean dropped and why: every reason with its count and some of its photos."""

import base64
import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from fieldguide.catalogue.schema import Status
from fieldguide.clean.reasons import FETCH_FAILED, NEAR_DUPLICATE, REASONS, Reason
from fieldguide.fetch.reading import Location, Originals
from fieldguide.files import written_whole
from fieldguide.images.decode import load_rgb
from fieldguide.pages import page_environment

TEMPLATE = "page.html.j2"
MAX_EXAMPLES = 12
"""Photos shown of each reason."""
THUMBNAIL_SIDE = 144
"""px, the longer side."""


@dataclass(frozen=True)
class Example:
    """One photo, or what is known of it where nothing can be shown."""

    photo_id: str
    source_row: str
    label: str | None
    picture: str | None
    """A data URI."""
    original: str | None
    """A data URI of the photo that it repeats."""
    text: str


@dataclass(frozen=True)
class Group:
    """A reason, how often it applies, and some photos."""

    reason: str
    meaning: str
    count: int
    examples: list[Example]


def write_verdict_page(catalogue: pl.DataFrame, verdicts: pl.DataFrame, originals: Originals, out: Path) -> None:
    """Write one self-contained page. `verdicts` stand in the order of `catalogue`."""
    places = catalogue.select("source_row", "label", "licence", "status", "error", "shard", "offset", "num_bytes")
    table = pl.concat([verdicts.drop("fingerprint"), places], how="horizontal")
    groups = []
    for reason in REASONS:
        rows = table.filter(pl.col("reason") == reason.name)
        if len(rows):
            # Evenly over the catalogue: the first dozen would often be one observation.
            step = max(1, len(rows) // MAX_EXAMPLES)
            chosen = rows.gather_every(step).head(MAX_EXAMPLES)
            examples = [_show(row, reason, table, originals) for row in chosen.iter_rows(named=True)]
            groups.append(Group(reason.name, reason.meaning, len(rows), examples))
    template = page_environment(Path(__file__).parent).get_template(TEMPLATE)
    page = template.render(groups=groups, num_rows=len(table))
    with written_whole(out) as temporary:
        temporary.write_text(page, encoding="utf-8")


def _show(row: dict[str, Any], reason: Reason, table: pl.DataFrame, originals: Originals) -> Example:
    original = None
    if row["duplicate_of"] and reason.name == NEAR_DUPLICATE:
        original = _thumbnail(table.row(by_predicate=pl.col("photo_id") == row["duplicate_of"], named=True), originals)
    picture = _thumbnail(row, originals) if reason.is_shown else None
    return Example(row["photo_id"], row["source_row"], row["label"], picture, original, _describe(row, reason))


def _describe(row: dict[str, Any], reason: Reason) -> str:
    """The fact that the reason rests on."""
    if row["status"] != Status.OK:
        return f"{row['status']}: {row['error']}"
    if reason.name == FETCH_FAILED:
        return "gone, changed or out of reach since"
    if reason.measured:
        value = row[reason.measured]
        return f"{reason.measured} {value if isinstance(value, str) else format(value, '.1f')}"
    size = f"{row['width']} x {row['height']} px" if row["width"] else f"{row['num_bytes']:,} bytes"
    size = f"{row['format']}, {size}" if reason.is_unusable and row["format"] else size
    return f"{size}, as {row['duplicate_of']}" if row["duplicate_of"] else size


def _thumbnail(row: dict[str, Any], originals: Originals) -> str | None:
    if row["shard"] is None:
        return None
    (content,) = originals.read([Location(row["shard"], row["offset"], row["num_bytes"])])
    if content is None:
        return None
    image, _ = load_rgb(content, shorter_side=THUMBNAIL_SIDE)
    image.thumbnail((THUMBNAIL_SIDE, THUMBNAIL_SIDE))
    stream = io.BytesIO()
    image.save(stream, "JPEG", quality=75)
    return f"data:image/jpeg;base64,{base64.b64encode(stream.getvalue()).decode()}"
