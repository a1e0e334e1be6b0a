"""Plans the sample's rows before anything is drawn: who saw what where, and which row has which trouble."""

import datetime
import math
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import count

import numpy as np

from fieldguide.files import salted_unit
from sample.flora import CENTRES, FLORA, RAREST, REGIONS, Species

URL_DUPLICATES, BYTES_DUPLICATES, NEAR_DUPLICATES = 0.08, 0.010, 0.024
"""Rows that only repeat an earlier photo, as parts of all rows."""

FULL_SIZE = 1500
"""Rows for which TROUBLES are counted; a smaller sample has fewer of each, but one at least."""

TROUBLES = {
    "missing": 3, "empty": 2, "html": 3, "bomb": 2, "truncated": 6, "unreadable": 2, "too_small": 3,
    "png_named_jpg": 4, "cmyk": 6, "gray": 3, "gray16": 2, "rgb16": 3, "palette": 4, "exif": 14,
    "untidy_label": 6,
}  # fmt: skip
"""How many photos have each trouble; from `png_named_jpg` on they can be used all the same."""

LABEL_ERRORS = 0.015
"""Rows with a wrong label and no other trouble, as part of all rows: some 2 % of the training photos."""
SALT, TRAIN = "fieldguide", 0.78
"""The split that presets/sample.yaml draws: a group whose salted hash is below 0.8 is in train. Errors are planted
there alone, a little away from the edge, so that what is measured on val and test stays true."""

FREE_LICENCES = {
    "CC0": 3, "CC0-1.0": 4, "https://creativecommons.org/publicdomain/zero/1.0/": 8, "CC-BY-4.0": 14,
    "https://creativecommons.org/licenses/by/4.0/": 22, "http://creativecommons.org/licenses/by/4.0/legalcode": 8,
    "CC BY 4.0": 12, "cc-by": 6, "https://creativecommons.org/licenses/by-sa/4.0/": 8, "CC BY-SA 3.0": 3,
}  # fmt: skip
UNFREE_LICENCES = {
    "https://creativecommons.org/licenses/by-nc/4.0/": 8, "CC-BY-NC-4.0": 5, "CC BY-NC-SA 4.0": 3,
    "cc-by-nc-nd": 2, "https://creativecommons.org/licenses/by-nd/4.0/": 2, "© all rights reserved": 4,
    "All rights reserved": 2, "see website": 1, "": 1,
}  # fmt: skip
"""Licences as sources write them, with how often; the empty one stands for none at all."""

COMMON = 40
"""Share from which on a species may have troubles (flora.py)."""
UNFREE = 0.12
NO_REGION = 0.06
PLACED, DATED = 0.9, 0.9
"""Parts of the observations whose place and date are known, the place only where the region is."""
HOME, SPREAD = 3.0, 1.2
"""Degrees from the middle of a region to where a species lives, and from there to its plants."""
SEASON = 25
"""Days around the middle of its season in which a species flowers."""
TURN = 0.618
"""Part of a turn, and of the summer half, between one species and the next, so that congeners lie far apart."""

GIVEN_NAMES = (
    "Ada", "Bruno", "Chiara", "Dace", "Emil", "Freja", "Goran", "Hanna", "Ines", "Jonas", "Katya", "Liam", "Marta",
    "Nils", "Olga", "Pau",
)  # fmt: skip
FAMILY_NAMES = ("Alder", "Birk", "Castan", "Drozd", "Esparza", "Fjeld", "Grove", "Heather", "Ivanec", "Jasmin")


@dataclass(frozen=True)
class Photo:
    """What decides the bytes of one file: which plant, which shot of it, how it is encoded or damaged."""

    species: int  # index in FLORA
    plant: int  # number of the observation
    shot: int  # number of the photo within the observation
    encoding: str = "plain"
    copy: int = 0  # near-duplicates: which copy of the plain photo


@dataclass(frozen=True)
class Row:
    """One line of observations.jsonl, with what the sample knows of it and the line does not say."""

    photo: Photo
    upload: int  # rows of one upload share a URL
    label: str
    observation: str
    observer: str
    region: str | None
    licence: str
    place: tuple[float, float] | None  # latitude and longitude, degrees
    date: str | None  # 2021-05-12
    kind: str = "plain"  # the trouble planted here


def plan_rows(num_rows: int, seed: int) -> list[Row]:
    """About `num_rows` rows in file order: the true species of a URL comes before its wrong ones."""
    rng = np.random.default_rng([seed, 0])
    uploads = count()
    num_copies = [round(num_rows * part) for part in (URL_DUPLICATES, BYTES_DUPLICATES, NEAR_DUPLICATES)]
    rows = list(_observed(num_rows - sum(num_copies), uploads, rng, seed))
    free = [index for index in rng.permutation(len(rows)).tolist() if _may_have_trouble(rows[index])]
    free = _plant_troubles(rows, free, num_rows)
    originals = iter(free)
    copies: list[Row] = []
    for _ in range(num_copies[0]):
        row = rows[next(originals)]
        copies.append(replace(row, label=_wrong_label(row, rng), kind="duplicate_url"))
    for _ in range(num_copies[1]):
        row = rows[next(originals)]
        copies.append(replace(_uploaded_again(row, uploads, rng), kind="duplicate_bytes"))
    for number in range(num_copies[2]):
        index = next(originals)
        # Each ninth original may not be used, which leaves its freely licensed copy as the first that counts.
        if number % 9 == 8:
            rows[index] = replace(rows[index], licence="CC-BY-NC-4.0")
        copy = replace(_uploaded_again(rows[index], uploads, rng), kind="near_duplicate")
        copy = replace(copy, photo=replace(copy.photo, encoding="near", copy=1), licence="CC-BY-4.0")
        copies.append(copy)
        if number % 9 == 4:
            copies.append(replace(copy, photo=replace(copy.photo, copy=2), upload=next(uploads)))
    _mislabel(rows, list(originals), round(num_rows * LABEL_ERRORS), np.random.default_rng([seed, 1]))
    rows += copies
    return _true_label_first([rows[index] for index in rng.permutation(len(rows)).tolist()])


def _observed(num_photos: int, uploads: "count[int]", rng: np.random.Generator, seed: int) -> Iterator[Row]:
    """A row for every photo of every plant, long-tailed over the species."""
    total = sum(species.share for species in FLORA)
    plants = count(1)
    for index, species in enumerate(FLORA):
        remaining = num_species = max(3, round(num_photos * species.share / total))
        while remaining:
            shots = min(remaining, int(rng.choice((1, 2, 3, 4), p=(0.83, 0.10, 0.05, 0.02))))
            remaining -= shots
            plant = next(plants)
            unfree = rng.random() < UNFREE
            if species.name == RAREST:  # the first two fifths, whatever the dice say: it has to stay rare
                unfree = remaining >= 0.6 * num_species
            licence = _draw(UNFREE_LICENCES if unfree else FREE_LICENCES, rng)
            observer, region = _observer(rng), _region(species, rng)
            place, date = _where_and_when(index, region, np.random.default_rng([seed, 2, plant]))
            for shot in range(shots):
                yield Row(
                    Photo(index, plant, shot),
                    next(uploads),
                    species.name,
                    f"obs-{plant:04d}",
                    observer,
                    region,
                    licence,
                    place,
                    date,
                )


def _where_and_when(
    species: int, region: str | None, rng: np.random.Generator
) -> tuple[tuple[float, float] | None, str | None]:
    """Every species has a home of its own in each region and a month in which it flowers; congeners lie far apart."""
    place, date = None, None
    if region and rng.random() < PLACED:
        latitude, longitude = CENTRES[region]
        turn = 2 * math.pi * (species * TURN % 1)
        north, east = rng.normal(0, SPREAD, 2)
        place = (
            round(latitude + HOME * math.sin(turn) + north, 4),
            round(longitude + HOME * math.cos(turn) + east, 4),
        )
    if rng.random() < DATED:
        middle = 90 + 180 * (species * TURN % 1)
        day = int(np.clip(middle + rng.normal(0, SEASON), 0, 364))
        date = (datetime.date(2021, 1, 1) + datetime.timedelta(days=day)).isoformat()
    return place, date


def _observer(rng: np.random.Generator) -> str:
    # A few observers send most photos, as everywhere.
    number = int(len(GIVEN_NAMES) * len(FAMILY_NAMES) * rng.random() ** 2.5)
    return f"{GIVEN_NAMES[number % len(GIVEN_NAMES)]} {FAMILY_NAMES[number // len(GIVEN_NAMES)]}"


def _region(species: Species, rng: np.random.Generator) -> str | None:
    if rng.random() < NO_REGION:
        return None
    return _draw(dict(zip(REGIONS, species.regions, strict=True)), rng)


def _draw(weights: dict[str, int], rng: np.random.Generator) -> str:
    chances = np.array(list(weights.values()), np.float64)
    return list(weights)[int(rng.choice(len(weights), p=chances / chances.sum()))]


def _may_have_trouble(row: Row) -> bool:
    """Rare species stay without trouble, so that they keep the photos that the split needs."""
    return FLORA[row.photo.species].share >= COMMON and row.licence in FREE_LICENCES


def _plant_troubles(rows: list[Row], free: list[int], num_rows: int) -> list[int]:
    """Give troubles to the first of the `free` rows, in place; the indices left over."""
    for kind, number in TROUBLES.items():
        for _ in range(max(1, round(number * num_rows / FULL_SIZE))):
            row = rows[index := free[0]]
            free = free[1:]
            if kind == "untidy_label":
                rows[index] = replace(row, kind=kind, label=f" {row.label.replace(' ', '  ')} ")
            else:
                rows[index] = replace(row, kind=kind, photo=replace(row.photo, encoding=kind))
    return free


def _mislabel(rows: list[Row], untouched: list[int], number: int, rng: np.random.Generator) -> None:
    """Give wrong labels to `number` of the `untouched` rows, in place: those alone in their observation, and in train.

    A rare species gets none: a few strangers would be half of its photos.
    """
    num_shots = Counter(row.observation for row in rows)
    index_of = {species.name: index for index, species in enumerate(FLORA)}
    for index in untouched:
        row = rows[index]
        is_in_train = salted_unit(SALT, f"observation_id={row.observation}") < TRAIN
        if number and is_in_train and num_shots[row.observation] == 1:
            while FLORA[index_of[label := _wrong_label(row, rng)]].share < COMMON:
                pass
            rows[index] = replace(row, label=label, kind="label_error")
            number -= 1


def _wrong_label(row: Row, rng: np.random.Generator) -> str:
    """Another species, likely of the same genus, likely a common one."""
    others = {species.name: species.share for species in FLORA if species.name not in (row.label, RAREST)}
    kin = {name: share for name, share in others.items() if name.split()[0] == row.label.split()[0]}
    return _draw(kin if kin and rng.random() < 0.6 else others, rng)


def _uploaded_again(row: Row, uploads: "count[int]", rng: np.random.Generator) -> Row:
    """The same photo sent in by someone else, as an observation of their own."""
    upload = next(uploads)
    return replace(row, upload=upload, observation=f"re-{upload:04d}", observer=_observer(rng))


def _true_label_first(rows: list[Row]) -> list[Row]:
    places: defaultdict[int, list[int]] = defaultdict(list)
    for place, row in enumerate(rows):
        places[row.upload].append(place)
    for shared in places.values():
        ordered = sorted((rows[place] for place in shared), key=lambda row: row.kind == "duplicate_url")
        for place, row in zip(shared, ordered, strict=True):
            rows[place] = row
    return rows
