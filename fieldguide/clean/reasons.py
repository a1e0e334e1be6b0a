"""Why a photo is kept or dropped: one row per reason, in the order in which they are tried.

A new reason is a new row, in the place where it is tried. The verdicts, their counts, the page and the check of
docs/formats.md follow from the table. What is wrong with a file is found by the decoder: those rows come from its list
of flaws.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import polars as pl

from fieldguide.catalogue.licences import LICENCES, allows_any_use
from fieldguide.catalogue.schema import Status
from fieldguide.clean.params import CleanParams, OnConflict
from fieldguide.images.decode import Flaw

# The few that code refers to by name.
FORGOTTEN: Final = "forgotten"
FETCH_FAILED: Final = "fetch_failed"
NEAR_DUPLICATE: Final = "near_duplicate"
KEPT: Final = "kept"

ANY_USE: Final = [licence for licence in LICENCES if allows_any_use(licence)]


@dataclass(frozen=True)
class Reason:
    """One row of the table: given to photos without an earlier reason of which `applies` is true (null is false)."""

    name: str
    meaning: str
    """For people."""
    applies: Callable[[CleanParams], pl.Expr]
    """A boolean over the columns of the catalogue and of `inspect_photos`; in OF_A_PICTURE also over those that
    `judge_photos` adds about the photo's cluster."""
    repeats: str | None = None
    """A column: of those photos that share a value in it, all but the canonical one are given the reason."""
    remedy: str = "look at reports/clean/index.html"
    """What helps where it applies to more photos than it should."""
    measured: str | None = None
    """The column that shows why, on the page."""
    is_unusable: bool = False
    """Something is wrong with the source: counts against `max_failure_rate`, and may be replaced."""
    is_shown: bool = True
    """Whether the page may show such photos; False where there is no image, or where its owner forbids it."""


def _is_flaw(name: str) -> Callable[[CleanParams], pl.Expr]:
    return lambda params: pl.col("flaw") == name


def _is_torn(params: CleanParams) -> pl.Expr:
    return {
        OnConflict.KEEP: pl.lit(value=False),
        OnConflict.KEEP_MAJORITY: pl.col("labels_differ") & ~pl.col("has_majority_label"),
        OnConflict.DROP: pl.col("labels_differ"),
    }[params.on_conflict]


def _always(params: CleanParams) -> pl.Expr:
    return pl.lit(value=True)


OF_A_PHOTO: Final = (
    Reason(
        FORGOTTEN,
        "It, its owner or a picture like it is on the list of the forgotten.",
        lambda params: pl.col("is_forgotten"),
        remedy="`python -m fieldguide why PHOTO` says by which line of forgotten.csv",
        is_shown=False,
    ),
    Reason(
        FETCH_FAILED,
        "There are no bytes; the catalogue says why, unless they were lost since.",
        lambda params: (pl.col("status") != Status.OK.value) | (pl.col("flaw") == FETCH_FAILED),
        remedy="metrics/fetch.json says why",
        is_unusable=True,
        is_shown=False,
    ),
    *(
        Reason(flaw.value, flaw.meaning, _is_flaw(flaw.value), is_unusable=True, is_shown=flaw.is_decoded)
        for flaw in Flaw
    ),
    Reason(
        "decided",
        "decisions.csv says to drop it.",
        lambda params: pl.col("is_decided_out"),
        remedy="`python -m fieldguide decide PHOTO forget` takes a decision back",
    ),
    Reason(
        "dark",
        "The mean gray level is below quality.min_brightness.",
        lambda params: pl.col("brightness") < params.quality.min_brightness,
        remedy="lower clean.quality.min_brightness",
        measured="brightness",
    ),
    Reason(
        "bright",
        "The mean gray level is above quality.max_brightness.",
        lambda params: pl.col("brightness") > params.quality.max_brightness,
        remedy="raise clean.quality.max_brightness",
        measured="brightness",
    ),
    Reason(
        "blurred",
        "The variance of the Laplacian is below quality.min_sharpness.",
        lambda params: pl.col("sharpness") < params.quality.min_sharpness,
        remedy="lower clean.quality.min_sharpness",
        measured="sharpness",
    ),
    Reason(
        "plain",
        "The entropy of the gray levels is below quality.min_entropy.",
        lambda params: pl.col("entropy") < params.quality.min_entropy,
        remedy="lower clean.quality.min_entropy",
        measured="entropy",
    ),
    Reason(
        "framed",
        "All pixels of the border have one colour.",
        lambda params: pl.col("border_color").is_not_null() & pl.lit(params.quality.drop_framed),
        remedy="set clean.quality.drop_framed to false",
        measured="border_color",
    ),
    Reason(
        "licence",
        "The licence does not allow the use that production_only asks for.",
        lambda params: ~pl.col("licence").is_in(ANY_USE) & pl.lit(params.production_only),
        remedy="say in fetch.sources.NAME.fill.licence under which licence the photos of a source are, or set "
        "clean.production_only to false",
        measured="licence",
        is_shown=False,
    ),
)
"""Reasons that a row gives by itself."""

OF_A_PICTURE: Final = (
    Reason(
        "conflicting_labels",
        "The same picture stands under several labels; on_conflict says what to do.",
        _is_torn,
        remedy="set clean.on_conflict to keep",
    ),
    Reason("duplicate_url", "Another row has this URL.", _always, repeats="url"),
    Reason("duplicate_bytes", "Another photo has the same bytes.", _always, repeats="sha256"),
    Reason(
        NEAR_DUPLICATE,
        "Another photo looks nearly the same.",
        lambda params: pl.lit(params.drop_near_duplicates),
        repeats="cluster",
        remedy="look at them in reports/clean/index.html; clean.drop_near_duplicates: false keeps them",
    ),
    Reason(KEPT, "Goes on to the split.", _always),
)
"""Reasons that need the other rows which show the same picture: tried once all of OF_A_PHOTO are."""

REASONS: Final = (*OF_A_PHOTO, *OF_A_PICTURE)
UNUSABLE: Final = tuple(reason.name for reason in REASONS if reason.is_unusable)
