"""Which species are easily taken for which: those that the student mixed up, then those whose photos are most alike."""

import csv
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from fieldguide.errors import ExportError
from fieldguide.evaluate.metrics import find_best
from fieldguide.spreadsheet import plain_cell

MAX_LOOK_ALIKES = 3
"""Of one species: what fits beside it on a phone."""
MIN_COSINE = 0.25
"""Of the directions of two species; with less they are no look-alikes, whatever is nearest."""
PIECE_CLASSES = 1024
"""That are compared with all others at a time."""

LookAlikes = dict[str, dict[str, int]]
"""Of each species up to MAX_LOOK_ALIKES others, the likeliest first, with the number of validation photos in which the
student took one for the other: 0 where only their photos are alike."""


def read_mix_ups(path: Path) -> dict[str, dict[str, int]]:
    """By species, how often it was taken for each other one or the other one for it; empty where there is no such file.

    Raises ExportError.
    """
    counts: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    if not path.is_file():
        return {}
    with path.open(newline="", encoding="utf-8") as stream:
        for row in csv.DictReader(stream):
            try:
                one, another = plain_cell(row["actual"]), plain_cell(row["predicted"])
                count = int(row["num_photos"])
            except (KeyError, TypeError, ValueError):
                raise ExportError(f"{path}: got {row}; expected actual, predicted and num_photos, a number") from None
            counts[one][another] += count
            counts[another][one] += count
    return {name: dict(others) for name, others in counts.items()}


def find_look_alikes(
    classes: Sequence[str], mix_ups: dict[str, dict[str, int]], nearest: dict[str, list[str]]
) -> LookAlikes:
    """Look-alikes of each of `classes`: by `mix_ups`, the most frequent first, and then by `nearest`."""
    known = set(classes)
    found: LookAlikes = {}
    for name in classes:
        mixed = sorted(mix_ups.get(name, {}).items(), key=lambda item: (-item[1], item[0]))
        alike = {other: count for other, count in mixed if other in known}
        for other in nearest.get(name, []):
            alike.setdefault(other, 0)
        found[name] = dict(list(alike.items())[:MAX_LOOK_ALIKES])
    return found


def nearest_classes(classes: Sequence[str], vectors: np.ndarray) -> dict[str, list[str]]:
    """By name, up to MAX_LOOK_ALIKES others that are nearest by the `vectors` of Centres.

    A class without any photos has a vector of zeros, and is near to nothing.
    """
    found: dict[str, list[str]] = {}
    count = min(MAX_LOOK_ALIKES, len(classes) - 1)
    for start in range(0, len(classes), PIECE_CLASSES):
        cosines = vectors[start : start + PIECE_CLASSES] @ vectors.T
        rows = np.arange(len(cosines))
        cosines[rows, start + rows] = -1
        # A full sort of ten thousand classes against each other takes several times as long.
        for row, places in zip(rows.tolist(), find_best(cosines, count).tolist(), strict=True):
            near = [place for place in places if cosines[row, place] >= MIN_COSINE]
            found[classes[start + row]] = [classes[place] for place in near]
    return found
