"""PNGs taken apart: no metadata costs a picture, whatever is wrong with it."""

import io
import zlib

import numpy as np
import pytest
from PIL import Image

from fieldguide.images import png
from fieldguide.images.parts import MAX_PROFILE_BYTES, CostlyError
from fieldguide.images.png import take_apart_png
from tests.images.forged import SECRET, chunk, talkative, with_chunks
from tests.images.pictures import blotches, encode

PHOTO = blotches(3)
PLAIN = encode(PHOTO, "PNG")


def pixels(content: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(content)).convert("RGBA"))


@pytest.mark.parametrize(
    "content",
    [
        PLAIN,
        encode(PHOTO.quantize(8), "PNG", transparency=bytes([0, 100])),
        encode(PHOTO.convert("LA"), "PNG"),
        talkative("PNG", PHOTO),
    ],
    ids=["plain", "palette", "alpha", "talkative"],
)
def test_only_pixels_are_left(content: bytes) -> None:
    parts = take_apart_png(content)
    assert (pixels(parts.pixels) == pixels(content)).all()
    assert SECRET not in parts.pixels
    assert Image.open(io.BytesIO(parts.pixels)).info.keys() <= {"transparency"}


@pytest.mark.parametrize(
    "kind", [b"iCCP", b"zTXt", b"eXIf", b"tEXt", b"iTXt", b"tIME", b"gAMA", b"tRNS", b"acTL", b"prVt"]
)
@pytest.mark.parametrize("is_sound", [True, False])
def test_a_damaged_chunk_costs_nothing_but_itself(kind: bytes, is_sound: bool) -> None:
    body = b"\xff" * 7 if kind != b"tRNS" else bytes(6)
    parts = take_apart_png(with_chunks(PLAIN, chunk(kind, body, is_sound=is_sound)))
    image = Image.open(io.BytesIO(parts.pixels))
    assert (np.asarray(image.convert("RGB")) == np.asarray(PHOTO)).all()
    assert parts.profile is None


def test_a_chunk_that_is_cut_off_behind_the_pixels() -> None:
    assert take_apart_png(PLAIN[:-12] + chunk(b"tEXt", bytes(900))[:500]).pixels == PLAIN[:-12]


def test_exif_and_profile_are_found() -> None:
    packed = b"name\0\0" + zlib.compress(b"the profile")
    parts = take_apart_png(with_chunks(PLAIN, chunk(b"iCCP", packed), chunk(b"eXIf", b"II*\0")))
    assert (parts.profile, parts.exif, parts.pixels) == (b"the profile", b"II*\0", PLAIN)
    damaged = take_apart_png(with_chunks(PLAIN, chunk(b"iCCP", packed, is_sound=False)))
    assert (damaged.profile, damaged.pixels) == (None, PLAIN)


def test_a_profile_that_unpacks_without_end_is_none() -> None:
    packed = b"name\0\0" + zlib.compress(bytes(MAX_PROFILE_BYTES + 1))
    assert take_apart_png(with_chunks(PLAIN, chunk(b"iCCP", packed))).profile is None


def test_a_file_of_nothing_but_chunks_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(png, "MAX_CHUNKS", 1000)
    with pytest.raises(CostlyError):
        take_apart_png(with_chunks(PLAIN, chunk(b"tEXt", b"") * 1000))
