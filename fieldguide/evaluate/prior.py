"""Place and season: how much more or less often a species is seen there and then than anywhere and at any time.

The training photos are counted by class, cell and month, and smoothed where they are asked about: a photo d degrees
away and m months off counts exp(-d^2 / 2 spread^2 - m^2 / 2). With w and n a class's photos nearby and in all, and W
and N those of all classes, its ratio is (w + PSEUDO r) / ((n + PSEUDO) r), where r = W / N + BACKGROUND: what was
seen so far, pulled towards 1 where that is little. Dividing by all classes' photos takes out where and when people
look. Answers are multiplied by ratio^strength, never by less than FLOOR, so no species is made impossible; strength
and spread are those under which the validation photos are likeliest. (As Mac Aodha, Cole and Perona, Presence-Only
Geographical Priors for Fine-Grained Image Classification, ICCV 2019, but counted instead of learnt.)

web/prior.js says the same on the page.

A file has a bound. Where all counts take more, cells and months are told less finely, and of each class only what was
seen most is kept, which loses the least (docs/decisions.md).
"""

import logging
import math
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final

import numpy as np

MONTHS: Final = 12
PSEUDO: Final = 5.0
"""Photos of a class anywhere and at any time, added to its own."""
BACKGROUND: Final = 0.001
"""Share of all photos that is added to those nearby: far from all of them nothing is known."""
FLOOR: Final = 0.02
MOST_COUNTED: Final = 255
"""Photos of a class in a cell and month that count, so that a count is a byte."""
MOST_CELLS: Final = 65_536
"""So that a cell is two bytes."""
GRAINS: Final = ((1, 1), (2, 1), (4, 1), (8, 1), (8, 2), (16, 2), (16, 3))
"""How wide cells are, degrees, and how many months are told as one; the first is what the photos say."""
MIN_KEPT: Final = 0.5
"""Of the photos; with less a file is made of wider cells and months, as long as there are wider ones."""

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Occasions:
    """Where and when n photos were taken; NaN where that is unknown."""

    latitude: np.ndarray
    """Of the middle of a cell, degrees: float64 [n]."""
    longitude: np.ndarray
    month: np.ndarray
    """1 to 12: float64 [n]."""

    def __len__(self) -> int:
        return len(self.month)

    def __getitem__(self, rows: np.ndarray) -> "Occasions":
        return Occasions(self.latitude[rows], self.longitude[rows], self.month[rows])

    @property
    def is_known(self) -> np.ndarray:
        """Whether place or month is known: bool [n]."""
        known: np.ndarray = ~(np.isnan(self.latitude) & np.isnan(self.month))
        return known


@dataclass(frozen=True)
class Prior:
    """Counts of training photos by class, cell and month, sorted by class."""

    cells: np.ndarray
    """Latitude and longitude of their middles, degrees: float32 [num_cells, 2]."""
    classes: np.ndarray
    """Class of each entry: int64 [num_entries], rising."""
    cell: np.ndarray
    """Its cell: int64 [num_entries]."""
    month: np.ndarray
    """Its month, 1 to 12: int64 [num_entries]."""
    counts: np.ndarray
    """Photos: int64 [num_entries]."""
    num_classes: int
    spread: float = 1.0
    """Degrees."""
    strength: float = 0.0
    """0 leaves answers as they are."""

    @property
    def num_bytes(self) -> int:
        """Of its file."""
        return 4 * len(self.counts) + 8 * len(self.cells) + 4 * (self.num_classes + 1)

    @cached_property
    def totals(self) -> np.ndarray:
        """Photos of each class: float64 [num_classes]."""
        return np.bincount(self.classes, self.counts, self.num_classes)

    def ratios(self, latitude: float, longitude: float, month: float) -> np.ndarray:
        """How much likelier than on average each class is at a place and in a month: float64 [num_classes].

        Degrees and 1 to 12; NaN for what is unknown.
        """
        weights = np.ones(len(self.counts))
        if not np.isnan(latitude):
            away = find_angles(latitude, longitude, self.cells[:, 0], self.cells[:, 1])
            weights *= np.exp(-(away**2) / (2 * self.spread**2))[self.cell]
        if not np.isnan(month):
            off = np.abs(self.month - month)
            weights *= np.exp(-(np.minimum(off, MONTHS - off) ** 2) / 2)
        near = np.bincount(self.classes, weights * self.counts, self.num_classes)
        average = near.sum() / max(self.totals.sum(), 1) + BACKGROUND
        ratios: np.ndarray = (near + PSEUDO * average + BACKGROUND * self.totals) / ((self.totals + PSEUDO) * average)
        return ratios

    def log_factors(self, occasions: Occasions, floor: float = FLOOR) -> np.ndarray:
        """What to add to log-probabilities of photos: float32 [n, num_classes], 0 where nothing is known.

        Never less than log(`floor`).
        """
        rows = np.stack([occasions.latitude, occasions.longitude, occasions.month], axis=1)
        distinct, inverse = np.unique(rows, axis=0, return_inverse=True)
        factors = [
            np.zeros(self.num_classes) if np.isnan(lat) and np.isnan(month) else np.log(self.ratios(lat, lon, month))
            for lat, lon, month in distinct.tolist()
        ]
        table = self.strength * np.reshape(factors, (-1, self.num_classes))
        table = np.maximum(table, np.log(floor)) if floor else table
        shifted: np.ndarray = table.astype(np.float32)[inverse.ravel()]
        return shifted


def find_angles(latitude: float, longitude: float, latitudes: np.ndarray, longitudes: np.ndarray) -> np.ndarray:
    """Great-circle distances from a place to others, degrees (haversine formula): float64 [n]."""
    degrees = (latitude, longitude, latitudes, longitudes)
    lat, lon, lats, lons = (np.radians(np.asarray(each, np.float64)) for each in degrees)
    half = np.sin((lats - lat) / 2) ** 2 + np.cos(lat) * np.cos(lats) * np.sin((lons - lon) / 2) ** 2
    angles: np.ndarray = np.degrees(2 * np.arcsin(np.sqrt(np.minimum(half, 1))))
    return angles


def count_occasions(labels: np.ndarray, occasions: Occasions, num_classes: int, max_bytes: float = math.inf) -> Prior:
    """Count training photos whose place and month are both known; `labels` int64 [n] below 0 are left out.

    A file of the result takes at most `max_bytes`; logs what had to give way. Only a table of no photos may take more:
    four bytes a class.
    """
    used = (labels >= 0) & ~np.isnan(occasions.latitude) & ~np.isnan(occasions.month)
    places = np.stack([occasions.latitude[used], occasions.longitude[used]], axis=1)
    months = occasions.month[used].astype(np.int64) - 1
    for width, span in GRAINS:
        wide = places if width == 1 else (np.floor(places / width) + 0.5) * width
        middle = 1 + months // span * span + (span - 1) // 2
        every = _count(labels[used], wide, middle, num_classes)
        prior = _keep_most_seen(every, max_bytes)
        kept = prior.counts.sum() / max(1, every.counts.sum())
        if kept >= MIN_KEPT or not used.any():
            break
    if (width, span, kept) != (*GRAINS[0], 1.0) and used.any():
        log.info(
            f"place and season of {num_classes:,} classes: {kept:.0%} of the photos fit into "
            f"{max_bytes / 1e3:g} kB, in cells of {width} degrees and months taken {span} at a time"
        )
    return prior


def _keep_most_seen(prior: Prior, max_bytes: float) -> Prior:
    """Of each class the cells and months with most photos, as many of each as there is room for in `max_bytes`."""
    if prior.num_bytes <= max_bytes and len(prior.cells) <= MOST_CELLS:
        return prior
    starts = np.searchsorted(prior.classes, np.arange(prior.num_classes))
    place = np.argsort(np.lexsort((-prior.counts, prior.classes))) - starts[prior.classes]  # within its class
    ranked = np.lexsort((-prior.counts, place))
    is_new = np.zeros(len(ranked), bool)
    is_new[np.unique(prior.cell[ranked], return_index=True)[1]] = True
    num_bytes = prior.num_bytes - 4 * len(ranked) - 8 * len(prior.cells) + np.cumsum(4 + 8 * is_new)
    chosen = np.sort(ranked[(num_bytes <= max_bytes) & (np.cumsum(is_new) <= MOST_CELLS)])
    cells, cell = np.unique(prior.cell[chosen], return_inverse=True)
    return replace(
        prior,
        cells=prior.cells[cells],
        classes=prior.classes[chosen],
        cell=cell,
        month=prior.month[chosen],
        counts=prior.counts[chosen],
    )


def _count(labels: np.ndarray, places: np.ndarray, months: np.ndarray, num_classes: int) -> Prior:
    cells, cell = np.unique(places, axis=0, return_inverse=True)
    keys = np.stack([labels, cell.ravel(), months], axis=1)
    entries, counts = np.unique(keys, axis=0, return_counts=True)
    entries = entries.reshape(-1, 3)
    return Prior(
        cells=cells.reshape(-1, 2).astype(np.float32),
        classes=entries[:, 0],
        cell=entries[:, 1],
        month=entries[:, 2],
        counts=np.minimum(counts, MOST_COUNTED),
        num_classes=num_classes,
    )
