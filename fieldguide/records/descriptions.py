"""The JSON beside each photo: ids of its own, and facts that many photos share and that are understood once.

The resize stage begins every text with `{"photo_id": "16 digits", "sha256": "64 digits"`. What follows is the same text
for all photos with the same labels, region and sizes.
"""

import json
from collections.abc import Iterable
from contextlib import suppress
from typing import Final

import numpy as np
from pydantic import TypeAdapter, ValidationError

from fieldguide.errors import RecordError
from fieldguide.records.features import Description
from fieldguide.records.gather import Gathered

START: Final = b'{"photo_id": "0000000000000000", "sha256": "%s"' % (b"0" * 64)
"""Of every text, but for the ids."""
PHOTO_ID: Final = slice(14, 30)
SHA256: Final = slice(44, 108)

_START: Final = np.frombuffer(START, np.uint8)
_IS_ID: Final = np.isin(np.arange(len(START)), np.r_[PHOTO_ID, SHA256])
_DESCRIPTIONS: Final = TypeAdapter(list[Description])


def split_texts(photos: Gathered) -> tuple[bytes, list[bytes]]:
    """The SHA-256 of all originals, 32 bytes each, and what every text says behind its ids.

    Raises RecordError where a text is no description, or that of another photo.
    """
    starts = [text[: len(START)].ljust(len(START)) for text in photos.texts]
    rests = [text[len(START) :] for text in photos.texts]
    is_usual = ((_as_rows(starts) == _START) | _IS_ID).all(axis=1)
    for position in np.flatnonzero(~is_usual).tolist():
        text = _lay_out(photos, position)
        starts[position], rests[position] = text[: len(START)], text[len(START) :]
    rows = _as_rows(starts)
    described = np.ascontiguousarray(rows[:, PHOTO_ID]).view("S16")[:, 0]
    for position in np.flatnonzero(described != photos.places["photo_id"]).tolist():
        raise _other_photo(photos, position, described[position].decode(errors="replace"))
    digests = rows[:, SHA256].tobytes()
    with suppress(ValueError):
        binary = bytes.fromhex(digests.decode())
        if 2 * len(binary) == len(digests):
            return binary, rests
    position = next(number for number, start in enumerate(starts) if not _is_digest(start[SHA256]))
    raise _bad_digest(photos, position, starts[position][SHA256].decode(errors="replace"))


def parse_texts(photos: Gathered, positions: Iterable[int]) -> list[Description]:
    """The descriptions of some photos. Raises RecordError where a text is none."""
    positions = list(positions)
    texts = [photos.texts[position] for position in positions]
    # All at once takes a third of the time; one by one names the first that is none.
    with suppress(ValidationError):
        parsed = _DESCRIPTIONS.validate_json(b"[" + b",".join(texts) + b"]")
        if len(parsed) == len(texts):
            return parsed
    return [_parse(photos, position) for position in positions]


def _parse(photos: Gathered, position: int) -> Description:
    try:
        return Description.model_validate_json(photos.texts[position])
    except ValidationError as error:
        raise RecordError(f"{photos.name(position, 'json')}: {error.errors()[0]['msg']}") from None


def _lay_out(photos: Gathered, position: int) -> bytes:
    """The text of a description that another program wrote, as the resize stage would have written it."""
    description = _parse(photos, position)
    if description.photo_id != photos.places["photo_id"][position].decode():
        raise _other_photo(photos, position, description.photo_id)
    if len(description.sha256) != SHA256.stop - SHA256.start or not description.sha256.isascii():
        raise _bad_digest(photos, position, description.sha256)
    return json.dumps(description.model_dump()).encode()


def _is_digest(digits: bytes) -> bool:
    return not digits.strip(b"0123456789abcdefABCDEF")


def _other_photo(photos: Gathered, position: int, photo_id: str) -> RecordError:
    return RecordError(f"{photos.name(position, 'json')} describes photo {photo_id!r}")


def _bad_digest(photos: Gathered, position: int, digest: str) -> RecordError:
    return RecordError(f"{photos.name(position, 'json')}: sha256 {digest!r}; expected 64 hexadecimal digits")


def _as_rows(starts: list[bytes]) -> np.ndarray:
    return np.frombuffer(b"".join(starts), np.uint8).reshape(-1, len(START))
