"""Where the photos lie in the tars of the resize stage: found from the headers alone, a tar at a time."""

from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from fieldguide.errors import RecordError
from fieldguide.files import salted_units
from fieldguide.memory import keep_freed_memory
from fieldguide.records.described_square import FORMATS
from fieldguide.tar import Members, group_samples, list_members

PLACE: Final = np.dtype(
    [
        ("order", "f8"),
        ("photo_id", "S16"),
        ("tar", "u4"),
        ("suffix", "u1"),
        ("image", "i8"),
        ("image_size", "u4"),
        ("json", "i8"),
        ("json_size", "u4"),
    ]
)
"""A photo's place in the shuffle, and of which tar its image and its description are which bytes; `suffix` counts
FORMATS."""

SUFFIXES: Final = tuple(FORMATS)
KEY: Final = PLACE["photo_id"].itemsize
"""Characters of an id."""


def locate_photos(tar: Path, salt: str) -> np.ndarray:
    """Where each photo of one tar lies, in tar order: PLACE [num_photos] with `tar` 0.

    Raises RecordError where a sample is not one image and one description.
    """
    keep_freed_memory()
    members = _list_all(tar)
    if not len(members.names):
        return np.zeros(0, PLACE)
    check_sizes(tar, members)
    keys, suffixes, is_plain = split_names(members.names)
    # A sample begins with another key, or where its first member comes again.
    begins = np.append(True, keys[1:] != keys[:-1])
    begins |= suffixes == suffixes[np.maximum.accumulate(np.where(begins, np.arange(len(keys)), 0))]
    sample = np.cumsum(begins) - 1
    formats = np.select([suffixes == suffix.encode() for suffix in SUFFIXES], range(len(SUFFIXES)), -1)
    images, descriptions = np.flatnonzero(formats >= 0), np.flatnonzero(suffixes == b"json")
    num_samples = int(sample[-1]) + 1
    is_whole = np.logical_and(
        np.bincount(sample[images], minlength=num_samples) == 1,
        np.bincount(sample[descriptions], minlength=num_samples) == 1,
    )
    is_whole[sample[~is_plain]] = False
    if not is_whole.all():
        raise _refuse(tar, members, int(np.searchsorted(sample, is_whole.argmin(), side="right")) - 1)
    places = np.zeros(num_samples, PLACE)
    places["photo_id"] = keys[images]
    places["suffix"] = formats[images]
    places["image"], places["image_size"] = members.offsets[images], members.sizes[images]
    places["json"], places["json_size"] = members.offsets[descriptions], members.sizes[descriptions]
    places["order"] = salted_units(salt, places["photo_id"].astype("U").tolist())
    return places


def split_names(
    names: npt.NDArray[np.bytes_],
) -> tuple[npt.NDArray[np.bytes_], npt.NDArray[np.bytes_], npt.NDArray[np.bool_]]:
    """The first KEY characters of each name, what comes behind the next one, and whether that one is the only dot that
    could end a key: each [num_names]."""
    letters = names.astype(f"S{max(names.itemsize, KEY + 2)}").view(np.uint8).reshape(len(names), -1)
    keys = np.ascontiguousarray(letters[:, :KEY])
    suffixes = np.ascontiguousarray(letters[:, KEY + 1 :])
    is_plain = (letters[:, KEY] == ord(".")) & ((keys != ord(".")) & (keys != 0) & (keys < 0x80)).all(axis=1)
    is_plain &= (letters != ord("/")).all(axis=1)
    return keys.view(f"S{KEY}")[:, 0], suffixes.view(f"S{suffixes.shape[1]}")[:, 0], is_plain


def check_sizes(tar: Path, members: Members) -> None:
    """Raise RecordError where a member is larger than an Example may be."""
    if (members.sizes >= 1 << 31).any():
        member = list(members.each())[members.sizes.argmax()]
        raise RecordError(f"{tar}: {member.name} has {member.size} bytes; expected less than 2 GiB")


def _list_all(tar: Path) -> Members:
    portions = list(list_members(tar))
    if not portions:
        return Members(np.zeros(0, "S1"), np.zeros(0, np.int64), np.zeros(0, np.int64))
    return Members(*(np.concatenate(column) for column in zip(*portions, strict=True)))


def _refuse(tar: Path, members: Members, number: int) -> RecordError:
    """The error for the sample that member `number` belongs to."""
    behind = 0
    key, sample = next(
        (key, sample) for key, sample in group_samples(members.each()) if (behind := behind + len(sample)) > number
    )
    return RecordError(
        f"{tar}: sample {key!r} has {', '.join(sample)}; expected a {KEY}-digit id with json and one of "
        f"{', '.join(SUFFIXES)}"
    )
