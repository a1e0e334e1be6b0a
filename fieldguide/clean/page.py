"""The page that shows what clean dropped and why: every reason with its count and some of its photos."""

import base64
import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jinja2
import polars as pl

from fieldguide.catalogue.schema import Status
from fieldguide.clean.verdicts import UNUSABLE, Reason
from fieldguide.fetch.reading import Location, Originals
from fieldguide.files import written_whole
from fieldguide.images.decode import load_rgb

TEMPLATE = "page.html.j2"
MAX_EXAMPLES = 12
"""Photos shown of each reason."""
THUMBNAIL_SIDE = 144
"""px, the longer side."""

HIDDEN = frozenset({*UNUSABLE, Reason.LICENCE} - {Reason.TOO_SMALL})
"""Reasons whose photos cannot be shown, or must not: who reserves all rights does so on a report, too."""

MEANINGS = {
    Reason.FETCH_FAILED: "There are no bytes; the catalogue says why, unless they were lost since.",
    Reason.EMPTY: "The file has no bytes.",
    Reason.NOT_AN_IMAGE: "The bytes are something else, often a page that says sorry.",
    Reason.BOMB: "More pixels than max_megapixels; never decoded.",
    Reason.TRUNCATED: "The file ends before its picture does.",
    Reason.UNREADABLE: "The decoder gives up.",
    Reason.TOO_SMALL: "The shorter side is below min_side.",
    Reason.DARK: "The mean gray level is below quality.min_brightness.",
    Reason.BRIGHT: "The mean gray level is above quality.max_brightness.",
    Reason.BLURRED: "The variance of the Laplacian is below quality.min_sharpness.",
    Reason.PLAIN: "The entropy of the gray levels is below quality.min_entropy.",
    Reason.FRAMED: "All pixels of the border have one colour.",
    Reason.LICENCE: "The licence does not allow the use that production_only asks for.",
    Reason.CONFLICTING_LABELS: "The same picture stands under several labels; on_conflict says what to do.",
    Reason.DUPLICATE_URL: "Another row has this URL.",
    Reason.DUPLICATE_BYTES: "Another photo has the same bytes.",
    Reason.NEAR_DUPLICATE: "Another photo looks nearly the same.",
    Reason.KEPT: "Goes on to the split.",
}


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
    """Write a page that needs nothing but itself. `verdicts` stand in the order of `catalogue`."""
    places = catalogue.select("source_row", "label", "licence", "status", "error", "shard", "offset", "num_bytes")
    table = pl.concat([verdicts.drop("fingerprint"), places], how="horizontal")
    groups = []
    for reason in Reason:
        rows = table.filter(pl.col("reason") == reason)
        if len(rows):
            # Evenly over the catalogue: the first dozen would often be one observation.
            step = max(1, len(rows) // MAX_EXAMPLES)
            chosen = rows.gather_every(step).head(MAX_EXAMPLES)
            examples = [_show(row, table, originals) for row in chosen.iter_rows(named=True)]
            groups.append(Group(reason, MEANINGS[reason], len(rows), examples))
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent), autoescape=True, undefined=jinja2.StrictUndefined
    )
    page = environment.get_template(TEMPLATE).render(groups=groups, num_rows=len(table))
    with written_whole(out) as temporary:
        temporary.write_text(page, encoding="utf-8")


def _show(row: dict[str, Any], table: pl.DataFrame, originals: Originals) -> Example:
    original = None
    if row["duplicate_of"] and row["reason"] == Reason.NEAR_DUPLICATE:
        original = _thumbnail(table.row(by_predicate=pl.col("photo_id") == row["duplicate_of"], named=True), originals)
    picture = None if row["reason"] in HIDDEN else _thumbnail(row, originals)
    return Example(row["photo_id"], row["source_row"], row["label"], picture, original, _describe(row))


def _describe(row: dict[str, Any]) -> str:
    """The fact that the reason rests on."""
    reason = Reason(row["reason"])
    if reason is Reason.FETCH_FAILED:
        return (
            "gone, changed or out of reach since" if row["status"] == Status.OK else f"{row['status']}: {row['error']}"
        )
    if reason is Reason.LICENCE:
        return str(row["licence"])
    measured = {
        Reason.DARK: "brightness",
        Reason.BRIGHT: "brightness",
        Reason.BLURRED: "sharpness",
        Reason.PLAIN: "entropy",
        Reason.FRAMED: "border_color",
    }.get(reason)
    if measured:
        value = row[measured]
        return f"{measured} {value if isinstance(value, str) else format(value, '.1f')}"
    size = f"{row['width']} x {row['height']} px" if row["width"] else f"{row['num_bytes']:,} bytes"
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
