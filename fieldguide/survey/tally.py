"""What the rows of the sources say, counted: the same rows that fetch will read."""

import heapq
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import islice
from urllib.parse import urlsplit

from fieldguide.catalogue.licences import allows_any_use, normalise_licence
from fieldguide.catalogue.regions import Regions
from fieldguide.catalogue.rows import DESCRIPTIVE, Row, Source
from fieldguide.catalogue.splits import Split
from fieldguide.fetch.local import local_file
from fieldguide.files import salted_unit

MOST_ROWS = 1_000_000
"""Rows that are looked at; more take longer than anybody waits for a survey."""
SAMPLED = 300
EXAMPLES = 3


@dataclass
class Tally:
    """Counts over the rows of all sources."""

    num_rows: int = 0
    is_whole: bool = True
    """Whether every row was counted."""
    labels: Counter[str] = field(default_factory=Counter)
    """Photos of each label; those without one are in none."""
    train_labels: Counter[str] = field(default_factory=Counter)
    """The same of those that the source gives to train."""
    splits: Counter[Split] = field(default_factory=Counter)
    """As the source gives them."""
    licences: Counter[str] = field(default_factory=Counter)
    """By their normalised names, `unknown` among them."""
    regions: Counter[str] = field(default_factory=Counter)
    said: Counter[str] = field(default_factory=Counter)
    """By column of ours, the rows in which it says something."""
    hosts: Counter[str] = field(default_factory=Counter)
    """Rows by the host of their URL; `` for files of this machine."""
    repeated_ids: list[str] = field(default_factory=list)
    """Some of the ids that stand in several rows of one source."""
    num_repeated_ids: int = 0
    two_labels: list[str] = field(default_factory=list)
    """Some of the files that stand in several rows under different labels."""
    num_two_labels: int = 0
    sample: list[Row] = field(default_factory=list)
    """Some rows, drawn by a salted hash of their ids."""

    @property
    def num_allowed(self) -> int:
        """Photos under licences that allow any use."""
        return sum(count for licence, count in self.licences.items() if allows_any_use(licence))

    @property
    def num_local(self) -> int:
        """Photos on this machine."""
        return self.hosts[""]

    @property
    def gives_splits(self) -> bool:
        """Whether the source gives every photo a split, of which one is train."""
        return self.splits.total() == self.num_rows and 0 < self.splits[Split.TRAIN] < self.num_rows


def tally_rows(sources: Mapping[str, Source], regions: Regions | None = None, most: int = MOST_ROWS) -> Tally:
    """Count the rows of the sources, of each at most its part of `most`. Raises CatalogueError as they do."""
    tally = Tally()
    drawn: list[tuple[float, int, Row]] = []
    share = max(1, most // max(1, len(sources)))
    for source in sources.values():
        labels: dict[str, str | None] = {}
        ids: set[str] = set()
        rows = source.rows()
        for row in islice(rows, share):
            _count(tally, row, regions)
            _note_repeats(tally, row, ids, labels)
            place = -salted_unit("survey", row.id), -tally.num_rows, row
            if len(drawn) < SAMPLED:
                heapq.heappush(drawn, place)
            else:
                heapq.heappushpop(drawn, place)
        tally.is_whole &= next(rows, None) is None
    tally.sample = [row for *_, row in sorted(drawn, key=lambda place: -place[1])]
    return tally


def _count(tally: Tally, row: Row, regions: Regions | None) -> None:
    tally.num_rows += 1
    tally.licences[normalise_licence(row.licence)] += 1
    tally.said.update(name for name in DESCRIPTIVE if getattr(row, name) is not None)
    tally.hosts[_host(row.url)] += 1
    if row.label is not None:
        tally.labels[row.label] += 1
    if row.given_split is not None:
        tally.splits[Split(row.given_split)] += 1
        if row.label is not None and row.given_split == Split.TRAIN:
            tally.train_labels[row.label] += 1
    region = row.region or (regions.find(row.country, row.latitude, row.longitude) if regions else None)
    if region:
        tally.regions[region] += 1


def _note_repeats(tally: Tally, row: Row, ids: set[str], labels: dict[str, str | None]) -> None:
    if row.id in ids:
        tally.num_repeated_ids += 1
        if len(tally.repeated_ids) < EXAMPLES:
            tally.repeated_ids.append(row.id)
    ids.add(row.id)
    if labels.setdefault(row.url, row.label) != row.label:
        tally.num_two_labels += 1
        if len(tally.two_labels) < EXAMPLES:
            tally.two_labels.append(f"{row.url} ({labels[row.url]}, {row.label})")


def _host(url: str) -> str:
    return "" if local_file(url) else urlsplit(url).hostname or ""
