"""Parameters of fetch, clean and split that fit the photographs found. Pure functions of what was counted."""

import math
from collections.abc import Mapping
from statistics import median

from fieldguide.catalogue.licences import UNKNOWN
from fieldguide.catalogue.splits import DRAWN, Split
from fieldguide.errors import CatalogueError
from fieldguide.survey.choosing import Choice
from fieldguide.survey.headers import Headers
from fieldguide.survey.ranks import Ranks
from fieldguide.survey.sources import FoundSource
from fieldguide.survey.tally import Tally

MIN_SAMPLES = (10, 5, 3)
"""Least photos of a class, the best first; with fewer than three not every split can have one."""
KEPT_SHARE = 0.8
"""Of the classes, that a value of MIN_SAMPLES must leave."""
SMALL_CLASS = 50
"""Photos; of a smaller class chance may leave val or test without any."""
SMALL_SET = 1000
FAILING_URLS = 0.1
BROKEN_SHARE = 0.005
"""Of the sampled files; if more are broken, clean must be told to bear it."""


def choose_data(sources: Mapping[str, FoundSource], tally: Tally, headers: Headers, ranks: Ranks) -> Choice:
    """Sources, what clean keeps, classes and splits. Raises CatalogueError if no two classes could be taught."""
    choice = Choice()
    for name, source in sources.items():
        choice.set(f"fetch.sources.{name}", source.section, source.reason, source.section["kind"])
    _choose_fetch(choice, tally)
    _choose_clean(choice, tally, headers)
    choice.set("split.ranks", list(ranks.ranks), ranks.reason)
    choice.set(
        "split.taxonomy",
        ranks.taxonomy,
        f"{ranks.num_known} of {len(tally.labels)} labels are in it" if ranks.taxonomy else "every label is a class",
        ranks.taxonomy["path"] if ranks.taxonomy else None,
    )
    _choose_splits(choice, tally)
    return choice


def _choose_fetch(choice: Choice, tally: Tally) -> None:
    num_remote = tally.num_rows - tally.num_local
    if num_remote:
        choice.set(
            "fetch.max_failure_rate", FAILING_URLS, f"{num_remote:,} photos come from URLs, and some will be gone"
        )


def _choose_clean(choice: Choice, tally: Tally, headers: Headers) -> None:
    num_known = tally.num_rows - tally.licences[UNKNOWN]
    if not num_known:
        choice.set("clean.production_only", False, "no licence is known, so true would drop every photo")
        choice.warnings.append(
            "no licence is known: the model may not be yours to publish; if one licence holds for all photos, write it "
            "into fetch.sources.NAME.fill.licence and set clean.production_only: true"
        )
    else:
        share = tally.num_allowed / tally.num_rows
        keeps = f"{share:.1%} of the photos come under licences that allow any use"
        choice.set("clean.production_only", share >= 0.5, keeps)
        if share < 0.5:
            choice.warnings.append(f"only {keeps}: a model of all of them may not be used commercially")
    short = headers.shorter_side(5)
    if short is not None:
        choice.set(
            "clean.min_side", 64 if short >= 128 else 32, f"95% of the photos have a shorter side of {short} px or more"
        )
    largest = headers.max_megapixels
    if largest is not None and largest > 50:
        choice.set(
            "clean.max_megapixels", 50 * math.ceil(largest / 50 + 0.5), f"the largest sampled photo has {largest:.0f}"
        )
    num_looked = headers.num_read + len(headers.no_photos) + len(headers.missing)
    broken = (len(headers.no_photos) + len(headers.missing)) / num_looked if num_looked else 0.0
    if broken > BROKEN_SHARE:
        rate = min(1.0, math.ceil(broken * 200) / 100)
        choice.set("fetch.max_failure_rate", rate, f"{broken:.1%} of the sampled files are missing or no photos")
        choice.set("clean.max_failure_rate", rate, "likewise")
    elif tally.num_local < tally.num_rows:
        choice.set("clean.max_failure_rate", FAILING_URLS, "as in fetch")


def _choose_splits(choice: Choice, tally: Tally) -> None:
    counts = sorted(tally.labels.values())
    least = choose_min_samples(counts)
    num_kept = sum(count >= least for count in counts)
    if num_kept < 2:
        raise CatalogueError(
            f"{num_kept} of {len(counts)} classes have {MIN_SAMPLES[-1]} photos or more; expected 2 of them at least"
        )
    tail = f"{len(counts) - num_kept:,} of {len(counts):,} classes have fewer photos"
    choice.set("split.min_samples", least, f"{tail}; they become `other`")
    grouped = tally.said["observation_id"]
    choice.set(
        "split.group_by",
        ["observation_id"] if grouped else [],
        f"{grouped:,} photos name their observation" if grouped else "no photo names its observation",
    )
    if not grouped and not tally.gives_splits:
        choice.warnings.append(
            "no observation ids: photos of one plant or animal may stand in train and in test, which flatters results"
        )
    if tally.gives_splits:
        parts = ", ".join(f"{split} {tally.splits[split]:,}" for split in DRAWN)
        missing = [split for split in DRAWN if not tally.splits[split]]
        drawn = f"; {' and '.join(missing)} will be drawn from train" if missing else ""
        choice.set("split.given", "given_split", f"the source gives {parts}{drawn}")
        choice.set("split.min_eval_photos", 0, "no photo leaves its given split")
        return
    has_some = f"only {tally.splits.total():,} photos have one" if tally.splits else "the source gives none"
    choice.set("split.given", None, has_some)
    share = 0.15 if tally.labels.total() < SMALL_SET else 0.1
    choice.set(
        "split.ratios",
        {Split.TRAIN.value: round(1 - 2 * share, 2), Split.VAL.value: share, Split.TEST.value: share},
        f"{tally.labels.total():,} photos, {median(counts):.0f} of a class (median)",
    )
    smallest = min(count for count in counts if count >= least)
    few = 0 if smallest >= SMALL_CLASS else 1 if smallest < 10 else 2
    choice.set("split.min_eval_photos", few, f"the smallest class has {smallest} photos")


def choose_min_samples(counts: list[int]) -> int:
    """The largest of MIN_SAMPLES that leaves most classes, given the number of photos of each."""
    return next(
        (least for least in MIN_SAMPLES if sum(count >= least for count in counts) >= max(2, KEPT_SHARE * len(counts))),
        MIN_SAMPLES[-1],
    )
