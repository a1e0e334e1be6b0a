"""What is written holds pixels and no words, wherever the image came from."""

import io

import pytest
from PIL import Image

from fieldguide.images.encode import encode_jpeg
from tests.images.forged import SECRET, talkative
from tests.images.pictures import blotches


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "WEBP", "TIFF"])
def test_no_word_is_left(kind: str) -> None:
    with Image.open(io.BytesIO(talkative(kind, blotches(1)))) as image:
        written = encode_jpeg(image.convert("RGB"), 90)
    assert SECRET not in written
    assert Image.open(io.BytesIO(written)).info.keys() == {"jfif", "jfif_version", "jfif_unit", "jfif_density"}
