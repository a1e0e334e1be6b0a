"""Labels that may be two spellings of one: another case, other signs between words, or one letter."""

from collections import defaultdict
from collections.abc import Iterable, Iterator

from fieldguide.catalogue.names import fold

SHORTEST = 7
"""Of names with fewer letters many differ by one and are right."""


def find_twins(labels: Iterable[str]) -> list[tuple[str, ...]]:
    """Groups of labels that differ only in case, accents and the signs between words, sorted."""
    groups: defaultdict[str, list[str]] = defaultdict(list)
    for label in sorted(set(labels)):
        groups[fold(label)].append(label)
    return sorted(tuple(group) for group in groups.values() if len(group) > 1)


def find_misspellings(labels: Iterable[str]) -> list[tuple[str, str]]:
    """Pairs of folded labels that one letter parts: added, left out, another, or swapped with its neighbour; sorted.

    Names with digits are left alone, and of short ones nothing is said.
    """
    names = sorted(
        {folded for label in labels if len(folded := fold(label)) >= SHORTEST and folded.replace(" ", "").isalpha()}
    )
    # Two names that one such step parts become equal when one letter, or none, is left out of each.
    meeting: defaultdict[str, set[str]] = defaultdict(set)
    for name in names:
        for shorter in {name, *_shorter(name)}:
            meeting[shorter].add(name)
    pairs = {
        (first, second)
        for group in meeting.values()
        for first in group
        for second in group
        if first < second and is_one_step(first, second)
    }
    return sorted(pairs)


def is_one_step(first: str, second: str) -> bool:
    """Whether adding, leaving out or replacing one letter, or swapping two neighbours, makes one of the other."""
    start = next(
        (at for at, (a, b) in enumerate(zip(first, second, strict=False)) if a != b), min(len(first), len(second))
    )
    one, other = first[start:], second[start:]
    swapped = len(one) > 1 and one[:2] == other[:2][::-1] and one[2:] == other[2:]
    return first != second and (swapped or one[1:] == other[1:] or one[1:] == other or one == other[1:])


def _shorter(name: str) -> Iterator[str]:
    return (name[:at] + name[at + 1 :] for at in range(len(name)))
