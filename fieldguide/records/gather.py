"""Reads shuffled photos back from the tars they lie in, many at a time, each member held to its digest."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from xxhash import xxh3_64_hexdigest

from fieldguide.records.places import SUFFIXES
from fieldguide.tar import BLOCK, OWNER, Member, read_member

MAX_PHOTOS: Final = 4096
"""Photos in memory at once, besides the bound in bytes: what is known of each takes room, too."""

OWNER_FROM: Final = BLOCK - OWNER.start
OWNER_TO: Final = BLOCK - OWNER.stop
"""How many bytes before a member the digest begins and ends that its header holds."""


@dataclass(frozen=True)
class Gathered:
    """Some photos as the resize stage left them."""

    places: np.ndarray
    """PLACE [num_photos]."""
    tars: Sequence[Path]
    images: list[bytes]
    texts: list[bytes]
    """Their descriptions, JSON."""

    def name(self, position: int, suffix: str = "") -> str:
        """The tar of one of them and its member with `suffix`, that of the image if none is given; for messages."""
        place = self.places[position]
        return f"{self.tars[place['tar']]}: {place['photo_id'].decode()}.{suffix or SUFFIXES[place['suffix']]}"


def gather(places: np.ndarray, tars: Sequence[Path], memory_bytes: int) -> Iterator[Gathered]:
    """The photos at `places` (PLACE [n]) in their order; about `memory_bytes` of them are held at once.

    Raises RecordError where members are damaged.
    """
    for part in cut_by_bytes(places, memory_bytes):
        yield _gather_at_once(part, tars)


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


def _gather_at_once(places: np.ndarray, tars: Sequence[Path]) -> Gathered:
    # One tar after the other, front to back: a shuffled shard touches many, and disks and descriptors dislike that.
    order = np.lexsort((places["image"], places["tar"]))
    ends = places["image"] + places["image_size"], places["json"] + places["json_size"]
    # A sample is read as one piece, its headers with it.
    starts = np.minimum(places["image"], places["json"]) - BLOCK
    within = [column - starts for column in (places["image"], ends[0], places["json"], ends[1])]
    columns = [column[order].tolist() for column in (places["tar"], starts, np.maximum(*ends) - starts, *within)]
    images, texts = [b""] * len(places), [b""] * len(places)
    owners: list[bytes] = []
    digests: list[str] = []
    opened, descriptor = -1, -1
    try:
        for position, tar, start, length, image_at, image_end, text_at, text_end in zip(
            order.tolist(), *columns, strict=True
        ):
            if tar != opened:
                if descriptor >= 0:
                    os.close(descriptor)
                descriptor = os.open(tars[tar], os.O_RDONLY)
                opened = tar
            content = os.pread(descriptor, length, start)
            if len(content) != length:
                break
            images[position] = image = content[image_at:image_end]
            texts[position] = text = content[text_at:text_end]
            owners.append(content[image_at - OWNER_FROM : image_at - OWNER_TO])
            owners.append(content[text_at - OWNER_FROM : text_at - OWNER_TO])
            digests.append(xxh3_64_hexdigest(image))
            digests.append(xxh3_64_hexdigest(text))
    finally:
        if descriptor >= 0:
            os.close(descriptor)
    photos = Gathered(places, tars, images, texts)
    _check_digests(photos, order, owners, digests)
    return photos


def _check_digests(photos: Gathered, order: np.ndarray, owners: list[bytes], digests: list[str]) -> None:
    """Raise RecordError for the first member, in `order`, whose digest its header does not name, or that is not there.

    The owners of images and descriptions take turns, and so do the digests of what was read.
    """
    said = np.frombuffer(b"".join(owners), f"S{OWNER.stop - OWNER.start}")
    is_damaged = (said != np.frombuffer("".join(digests).encode(), "S16")) & (said != b"")
    if not is_damaged.any() and len(said) == 2 * len(order):
        return
    number = order[(is_damaged.argmax() if is_damaged.any() else len(said)) // 2]
    place = photos.places[number]
    with photos.tars[place["tar"]].open("rb") as tar:
        for at, size in ((place["image"], place["image_size"]), (place["json"], place["json_size"])):
            read_member(tar, Member("", int(at), int(size)))
