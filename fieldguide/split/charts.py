"""The pictures of a split: its long tail, and its regions side by side."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import polars as pl
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter

from fieldguide.catalogue.licences import LicenceKind, licence_kind
from fieldguide.drawing import BLUE, GREEN, GREY, INK, ORANGE, scale_by_logarithm, tidy_axes
from fieldguide.split.params import FrequencyParams
from fieldguide.split.statistics import ALL

KIND_COLORS = {
    LicenceKind.PERMISSIVE: GREEN,
    LicenceKind.NON_COMMERCIAL: BLUE,
    LicenceKind.RESTRICTIVE: ORANGE,
    LicenceKind.UNKNOWN: GREY,
}
MOST_REGIONS = 30


def draw_long_tail(per_class: pl.DataFrame, frequency: FrequencyParams) -> Figure:
    """Photos per class in train, val and test, classes in order of their training photos (log scale)."""
    ordered = per_class.sort("train", "class", descending=[True, False])
    figure = Figure(figsize=(9.5, 4.2), layout="constrained")
    axes = figure.add_subplot()
    places = np.arange(1, len(ordered) + 1)
    for split, color in (("train", BLUE), ("val", ORANGE), ("test", GREEN)):
        counts = ordered[split].to_numpy()
        axes.step(places, np.where(counts > 0, counts, np.nan), where="mid", color=color, linewidth=1.6, label=split)
    for bound in (frequency.few_below, frequency.many_above):
        axes.axhline(bound, color=GREY, linewidth=0.8, linestyle=(0, (2, 3)))
    scale_by_logarithm(axes.yaxis)
    axes.set(xlabel="classes, the most common first", ylabel="photos", xlim=(0.5, len(ordered) + 0.5))
    axes.legend(frameon=False, fontsize=9)
    bins = ordered["frequency"]
    told = ", ".join(f"{name} {(bins == name).sum():,}" for name in ("many", "medium", "few"))
    axes.set_title(f"Photos per class ({told})", loc="left", fontsize=11, color=INK)
    tidy_axes(axes)
    return figure


def draw_regions(regions: Mapping[str, Mapping[str, Any]]) -> Figure:
    """Photos, species and licence shares of each region, the largest first; past 30 the rest is left out."""
    names = sorted((name for name in regions if name != ALL), key=lambda name: (-regions[name]["num_photos"], name))
    shown = [ALL, *names[:MOST_REGIONS]]
    figure = Figure(figsize=(9.5, 1.6 + 0.34 * len(shown)), layout="constrained")
    photos, species, licences = figure.subplots(1, 3, sharey=True)
    for axes, key, color in ((photos, "num_photos", BLUE), (species, "num_species", ORANGE)):
        values = [regions[name][key] for name in shown]
        bars = axes.barh(range(len(shown)), values, color=color, height=0.7)
        axes.bar_label(bars, [f"{value:,}" for value in values], fontsize=8, padding=3, color=INK)
        axes.margins(x=0.2)
        axes.xaxis.set_major_locator(MaxNLocator(4, integer=True))
        axes.set_title(key.removeprefix("num_"), loc="left", fontsize=10, color=INK)
    start = np.zeros(len(shown))
    for kind, color in KIND_COLORS.items():
        shares = np.array(
            [sum(share for name, share in regions[r]["licences"].items() if licence_kind(name) == kind) for r in shown]
        )
        if shares.any():
            licences.barh(range(len(shown)), shares, left=start, color=color, height=0.7, label=kind.value)
        start += shares
    licences.set_title("licences", loc="left", fontsize=10, color=INK)
    licences.xaxis.set_major_formatter(PercentFormatter(1))
    licences.legend(frameon=False, fontsize=8, loc="upper center", bbox_to_anchor=(0.5, -0.12), ncols=2)
    photos.set_yticks(range(len(shown)), shown)
    photos.invert_yaxis()
    for axes in (photos, species, licences):
        tidy_axes(axes)
        axes.grid(visible=False)
    if len(names) > MOST_REGIONS:
        figure.supxlabel(f"{len(names) - MOST_REGIONS} smaller regions are left out", fontsize=8, color=INK)
    return figure
