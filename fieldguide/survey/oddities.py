"""What looks odd about photographs, one line for each sort: a user may know better, but should know."""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from fieldguide.catalogue.names import says_nothing
from fieldguide.catalogue.sources.folders import SPECIES_FOLDERS
from fieldguide.survey.headers import Headers
from fieldguide.survey.ranks import Ranks
from fieldguide.survey.sources import FoundSource
from fieldguide.survey.spelling import find_misspellings, find_twins
from fieldguide.survey.tally import MOST_ROWS, Tally
from fieldguide.survey.trees import PICTURES, Tree

EXAMPLES = 3


@dataclass(frozen=True)
class Findings:
    """What the survey found before anything is chosen."""

    sources: Mapping[str, FoundSource]
    tally: Tally
    headers: Headers
    ranks: Ranks

    @property
    def trees(self) -> list[Tree]:
        """The folders and archives of all sources."""
        return [tree for source in self.sources.values() for tree in source.trees]


def find_oddities(found: Findings) -> list[str]:
    """A line for every check of ODDITIES that finds something."""
    return [line for look in ODDITIES for line in look(found)]


def _single_photos(found: Findings) -> Iterator[str]:
    single = sorted(label for label, count in found.tally.labels.items() if count == 1)
    if single:
        yield f"{_count(single, 'class', 'classes')} with one photo: {_some(single)}"


def _spellings(found: Findings) -> Iterator[str]:
    twins = find_twins(found.tally.labels)
    if twins:
        yield f"{_count(twins, 'class', 'classes')} in two spellings: {_some([' = '.join(group) for group in twins])}"
    pairs = find_misspellings(found.tally.labels)
    if pairs:
        yield f"{_count(pairs, 'pair', 'pairs')} of classes one letter apart: {_some([f'{a} / {b}' for a, b in pairs])}"


def _unlabelled(found: Findings) -> Iterator[str]:
    num_without = found.tally.num_rows - found.tally.labels.total()
    if num_without:
        yield f"{num_without:,} photos without a class; they become `other`"
    if silent := sorted(filter(says_nothing, found.tally.labels)):
        yield f"labels that name nothing; their photos become `other`: {_some(silent)}"
    if found.tally.labels and all(label.isdecimal() for label in found.tally.labels):
        yield f"all classes are numbers, such as {_some(sorted(found.tally.labels))}; the page will show them so"


def _unknown_to_taxonomy(found: Findings) -> Iterator[str]:
    unknown = found.ranks.unknown
    if unknown:
        yield f"{_count(unknown, 'class', 'classes')} that the taxonomy lacks, which become `other`: {_some(unknown)}"


def _splits(found: Findings) -> Iterator[str]:
    tally = found.tally
    if tally.splits and not tally.gives_splits:
        untold = tally.num_rows - tally.splits.total()
        reason = f"{untold:,} photos have none" if untold else f"all are {next(iter(tally.splits))}"
        yield f"a split is given but cannot be honoured: {reason}"
    if tally.gives_splits:
        untaught = sorted(tally.labels.keys() - tally.train_labels.keys())
        if untaught:
            yield f"{_count(untaught, 'class', 'classes')} without a photo in train: {_some(untaught)}"


def _licences(found: Findings) -> Iterator[str]:
    unknown = found.tally.licences["unknown"]
    if 0 < unknown < found.tally.num_rows:
        yield f"{unknown:,} photos whose licence is unknown"


def _places(found: Findings) -> Iterator[str]:
    num_placed = found.tally.said["latitude"]
    if num_placed:
        yield f"{num_placed:,} photos have coordinates; fetch.regions can make regions of them, and a teacher for each"


def _repeats(found: Findings) -> Iterator[str]:
    tally = found.tally
    if tally.num_repeated_ids:
        yield (
            f"{tally.num_repeated_ids:,} rows repeat the id or the file of another, which fetch refuses: "
            f"{_some(tally.repeated_ids, tally.num_repeated_ids)}"
        )
    if tally.num_two_labels:
        yield f"{tally.num_two_labels:,} files under two classes: {_some(tally.two_labels, tally.num_two_labels)}"


def _names_in_two_folders(found: Findings) -> Iterator[str]:
    for tree in found.trees:
        if not tree.root.is_dir():
            continue
        names = Counter(path.rpartition("/")[2] for path in tree.photos)
        first: dict[tuple[str, int], str] = {}
        twice = []
        for path in tree.photos:
            name = path.rpartition("/")[2]
            if names[name] > 1 and (other := first.setdefault((name, (tree.root / path).stat().st_size), path)) != path:
                twice.append(f"{other} = {path}")
        if twice:
            have = _count(twice, "file has", "files have")
            yield f"{tree.root}: {have} name and size of another, maybe one photo: {_some(twice)}"


def _other_files(found: Findings) -> Iterator[str]:
    for tree in found.trees:
        pictures = {suffix: count for suffix, (count, _) in tree.others.items() if suffix in PICTURES}
        if pictures:
            told = ", ".join(f"{count:,} {suffix}" for suffix, count in pictures.items())
            yield f"{tree.root}: pictures of other formats are left out; convert them to JPEG first: {told}"
        rest = {suffix: each for suffix, each in tree.others.items() if suffix not in PICTURES}
        if rest:
            told = ", ".join(
                f"{count:,} {suffix or 'without ending'} ({path})" for suffix, (count, path) in rest.items()
            )
            yield f"{tree.root}: files that are no photos: {told}"
        if tree.empty_folders:
            folders = _count(tree.empty_folders, "folder", "folders")
            yield f"{tree.root}: {folders} without photos: {_some(tree.empty_folders)}"
        if tree.tables:
            yield f"{tree.root}: tables that were not used; --table or --taxonomy names one: {_some(tree.tables)}"


def _beside(found: Findings) -> Iterator[str]:
    for source in found.sources.values():
        for tree in source.trees:
            pattern = re.compile(source.section["pattern"] or SPECIES_FOLDERS)
            beside = [path for path in tree.photos if not pattern.fullmatch(path)]
            if beside:
                photos = _count(beside, "photo", "photos")
                yield f"{tree.root}: {photos} in no class's folder, left out: {_some(beside)}"


def _headers(found: Findings) -> Iterator[str]:
    headers = found.headers
    if headers.no_photos:
        yield f"{len(headers.no_photos):,} of the files looked into are no photos: {_some(headers.no_photos)}"
    if headers.missing:
        yield f"{len(headers.missing):,} of the files looked for are missing: {_some(headers.missing)}"


def _too_many(found: Findings) -> Iterator[str]:
    if not found.tally.is_whole:
        yield f"only the first {found.tally.num_rows:,} rows were counted, of {MOST_ROWS:,} at most"


ODDITIES: Sequence[Callable[[Findings], Iterator[str]]] = (
    _single_photos,
    _spellings,
    _unlabelled,
    _unknown_to_taxonomy,
    _splits,
    _licences,
    _places,
    _repeats,
    _names_in_two_folders,
    _beside,
    _other_files,
    _headers,
    _too_many,
)


def _count(found: Sequence[object], one: str, many: str) -> str:
    return f"{len(found):,} {one if len(found) == 1 else many}"


def _some(texts: Sequence[str], num: int | None = None) -> str:
    num = len(texts) if num is None else num
    return ", ".join(islice(texts, EXAMPLES)) + (", ..." if num > EXAMPLES else "")
