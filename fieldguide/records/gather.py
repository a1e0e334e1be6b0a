"""Reads shuffled photos back from the tars they lie in, some at a time."""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
from pydantic import TypeAdapter, ValidationError

from fieldguide.errors import RecordError
from fieldguide.records.features import Description
from fieldguide.records.shuffle import SUFFIXES
from fieldguide.tar import Member, read_neighbours

MAX_PHOTOS: Final = 4096
"""Photos in memory at once, besides the bound in bytes: their descriptions take room, too."""

_DESCRIPTIONS: Final = TypeAdapter(list[Description])


class Found(NamedTuple):
    """One photo as the resize stage left it."""

    where: str
    """Its tar and member, for messages."""
    suffix: str
    image: bytes
    description: Description


def gather(places: np.ndarray, tars: Sequence[Path], memory_bytes: int) -> Iterator[Found]:
    """The photos at `places` (PLACE [n]) in their order; about `memory_bytes` of them are held at once.

    Raises RecordError where members are damaged or a description is not one.
    """
    for part in cut_by_bytes(places, memory_bytes):
        yield from _gather_at_once(part, tars)


def cut_by_bytes(places: np.ndarray, memory_bytes: int) -> Iterator[np.ndarray]:
    """`places` in parts of at most MAX_PHOTOS whose members have at most `memory_bytes`, or that are one photo."""
    ends = np.cumsum(places["image_size"].astype(np.int64) + places["json_size"])
    start = 0
    while start < len(places):
        before = ends[start - 1] if start else 0
        end = int(np.searchsorted(ends, before + memory_bytes, side="right"))
        end = min(max(end, start + 1), start + MAX_PHOTOS)
        yield places[start:end]
        start = end


def _gather_at_once(places: np.ndarray, tars: Sequence[Path]) -> Iterator[Found]:
    names = [photo_id.decode() for photo_id in places["photo_id"].tolist()]
    suffixes = [SUFFIXES[number] for number in places["suffix"].tolist()]
    images = [b""] * len(places)
    texts = [b""] * len(places)
    # One tar after the other, front to back: a shuffled shard touches many, and disks and descriptors dislike that.
    in_tar_order = np.lexsort((places["image"], places["tar"]))
    at = {name: places[name].tolist() for name in ("tar", "image", "image_size", "json", "json_size")}
    tar_number, descriptor = -1, -1
    try:
        for position in in_tar_order.tolist():
            if at["tar"][position] != tar_number:
                if descriptor >= 0:
                    os.close(descriptor)
                tar_number = at["tar"][position]
                descriptor = os.open(tars[tar_number], os.O_RDONLY)
            # Their names stand in the tar, should they be needed.
            image = Member("", at["image"][position], at["image_size"][position])
            json = Member("", at["json"][position], at["json_size"][position])
            images[position], texts[position] = read_neighbours(descriptor, tars[tar_number], (image, json))
    finally:
        if descriptor >= 0:
            os.close(descriptor)
    descriptions = _parse(texts, lambda position: f"{tars[at['tar'][position]]}: {names[position]}.json")
    for position, description in enumerate(descriptions):
        where = f"{tars[at['tar'][position]]}: {names[position]}"
        if description.photo_id != names[position]:
            raise RecordError(f"{where}.json describes photo {description.photo_id!r}")
        yield Found(f"{where}.{suffixes[position]}", suffixes[position], images[position], description)
        images[position] = b""


def _parse(texts: list[bytes], name: Callable[[int], str]) -> list[Description]:
    """All descriptions at once, which takes a third of the time; one by one to `name` the first that is none."""
    with suppress(ValidationError):
        parsed = _DESCRIPTIONS.validate_json(b"[" + b",".join(texts) + b"]")
        if len(parsed) == len(texts):
            return parsed
    descriptions = []
    for position, text in enumerate(texts):
        try:
            descriptions.append(Description.model_validate_json(text))
        except ValidationError as error:
            raise RecordError(f"{name(position)}: {error.errors()[0]['msg']}") from None
    return descriptions
