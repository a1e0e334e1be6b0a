"""web/photo.js in a real browser: pixels as Pillow has them, of any size, and never those of a blank canvas."""

import base64
import io
import shutil
import struct
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageCms
from playwright.sync_api import Browser, Page

from fieldguide.export.node import WEB
from tests.web.serving import served

pytestmark = pytest.mark.slow

DECODE = """async ([bytes, name]) => {
  const { decode } = await import('/photo.js');
  const packed = Uint8Array.from(atob(bytes), (letter) => letter.charCodeAt(0));
  const photo = await decode(new File([packed], name)).catch((error) => ({ failure: error.kind }));
  if (photo.failure) return photo;
  const url = await new Promise((resolve) => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result);
    reader.readAsDataURL(new Blob([photo.data]));
  });
  return { data: url.split(',')[1], width: photo.width, height: photo.height };
}"""

LIMIT_CANVAS = """(pixels) => {
  const read = OffscreenCanvasRenderingContext2D.prototype.getImageData;
  OffscreenCanvasRenderingContext2D.prototype.getImageData = function (...box) {
    const image = read.apply(this, box);
    if (this.canvas.width * this.canvas.height > pixels) image.data.fill(0);
    return image;
  };
}"""
"""Canvases above some size read as blank, as in Safari."""

LIMIT_BITMAP = """(pixels) => {
  const draw = OffscreenCanvasRenderingContext2D.prototype.drawImage;
  OffscreenCanvasRenderingContext2D.prototype.drawImage = function (image, ...box) {
    if (image.width * image.height <= pixels) draw.call(this, image, ...box);
  };
}"""
"""Bitmaps above some size draw nothing."""


@pytest.fixture(scope="module")
def opened(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    root = tmp_path_factory.mktemp("scripts")
    for script in WEB.glob("*.js"):
        (root / script.name).write_bytes(script.read_bytes())
    shutil.copytree(WEB / "languages", root / "languages")
    (root / "index.html").write_text("<!doctype html>")
    with served(root) as site:
        context = browser.new_context()
        page = context.new_page()
        page.goto(site.address("."))
        yield page
        context.close()


@pytest.fixture
def page(opened: Page) -> Page:
    opened.reload()
    return opened


def encode(image: Image.Image, kind: str, **options: Any) -> bytes:
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def decode(page: Page, file: bytes) -> Any:
    """What the page makes of a file: uint8 [height, width, 3], or the kind of failure."""
    found = page.evaluate(DECODE, [base64.b64encode(file).decode(), "photo"])
    if "failure" in found:
        return found["failure"]
    return np.frombuffer(base64.b64decode(found["data"]), np.uint8).reshape(found["height"], found["width"], 3)


def noise(width: int, height: int, channels: int = 3) -> np.ndarray:
    return np.random.default_rng([width, height]).integers(0, 256, (height, width, channels), dtype=np.uint8)


def smooth(width: int, height: int) -> np.ndarray:
    yy, xx = np.mgrid[:height, :width]
    return np.stack([xx * 255 // width, yy * 255 // height, (xx + yy) * 255 // (width + height)], axis=-1).astype(
        np.uint8
    )


@pytest.mark.parametrize("size", [(1, 1), (200, 150), (2048, 3), (2049, 2050), (5, 4100)])
def test_pixels_are_those_of_the_file(size: tuple[int, int], page: Page) -> None:
    pixels = noise(*size)
    assert np.array_equal(decode(page, encode(Image.fromarray(pixels), "PNG")), pixels)


def test_a_jpeg_decodes_as_in_the_pipeline(page: Page) -> None:
    file = encode(Image.fromarray(smooth(321, 213)), "JPEG", quality=90)
    assert np.array_equal(decode(page, file), np.asarray(Image.open(io.BytesIO(file))))


def wide_profile() -> bytes:
    """An ICC profile with Display P3's primaries, adapted to D50, and a gamma of 2.2."""

    def fixed(*values: float) -> bytes:
        return b"".join(struct.pack(">i", round(value * 65536)) for value in values)

    curve = b"curv" + struct.pack(">IIH", 0, 1, round(2.2 * 256)) + bytes(2)
    tags = {
        b"desc": b"desc" + struct.pack(">II", 0, 5) + b"wide\0" + bytes(78),
        b"cprt": b"text" + bytes(4) + b"none\0" + bytes(3),
        b"wtpt": b"XYZ " + bytes(4) + fixed(0.9642, 1.0, 0.8249),
        b"rXYZ": b"XYZ " + bytes(4) + fixed(0.51512, 0.24120, -0.00105),
        b"gXYZ": b"XYZ " + bytes(4) + fixed(0.29198, 0.69225, 0.04189),
        b"bXYZ": b"XYZ " + bytes(4) + fixed(0.15710, 0.06657, 0.78407),
        **dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), curve),
    }
    start = 128 + 4 + 12 * len(tags)
    table, body = b"", b""
    for name, content in tags.items():
        table += name + struct.pack(">II", start + len(body), len(content))
        body += content + bytes(-len(content) % 4)
    size = start + len(body)
    header = struct.pack(">I4sI4s4s4s", size, bytes(4), 0x02400000, b"mntr", b"RGB ", b"XYZ ")
    header += bytes(12) + b"acsp" + bytes(28) + fixed(0.9642, 1.0, 0.8249)
    return header.ljust(128, b"\0") + struct.pack(">I", len(tags)) + table + body


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_a_profile_is_converted_to_srgb(kind: str, page: Page) -> None:
    image = Image.fromarray(smooth(64, 48) // 2 + 60)
    file = encode(image, kind, icc_profile=wide_profile(), **({"quality": 95} if kind == "JPEG" else {}))
    stored = Image.open(io.BytesIO(file))
    source = ImageCms.ImageCmsProfile(io.BytesIO(stored.info["icc_profile"]))
    converted = ImageCms.profileToProfile(stored, source, ImageCms.createProfile("sRGB"))
    difference = np.abs(decode(page, file).astype(int) - np.asarray(converted))
    assert np.abs(np.asarray(converted).astype(int) - np.asarray(stored)).max() > 20
    assert difference.max() <= 2


@pytest.mark.parametrize(("missing", "is_read"), [(2, True), (3000, False)])
def test_a_jpeg_that_lacks_no_more_than_its_end_marker_is_read(missing: int, is_read: bool, page: Page) -> None:
    file = encode(Image.fromarray(noise(64, 48)), "JPEG")
    found = decode(page, file[:-missing])
    if is_read:
        assert np.array_equal(found, np.asarray(Image.open(io.BytesIO(file))))
    else:
        assert isinstance(found, str)


def test_transparency_becomes_white(page: Page) -> None:
    pixels = noise(40, 30, 4)
    pixels[..., 3] = np.where(pixels[..., 3] > 128, 255, 0)
    white = Image.new("RGBA", (40, 30), (255, 255, 255, 255))
    expected = np.asarray(Image.alpha_composite(white, Image.fromarray(pixels)).convert("RGB"))
    assert np.array_equal(decode(page, encode(Image.fromarray(pixels), "PNG")), expected)


def test_a_photo_larger_than_any_canvas_is_read_whole(page: Page) -> None:
    pixels = smooth(4700, 3700)
    file = encode(Image.fromarray(pixels), "JPEG", quality=90)
    page.evaluate(LIMIT_CANVAS, 16_777_216)
    assert np.array_equal(decode(page, file), np.asarray(Image.open(io.BytesIO(file))))


def test_a_photo_that_draws_nothing_at_its_size_is_shrunk(page: Page) -> None:
    pixels = smooth(2500, 2000)
    file = encode(Image.fromarray(pixels), "JPEG", quality=95)
    page.evaluate(LIMIT_BITMAP, 4_000_000)
    found = decode(page, file)
    height, width, _ = found.shape
    assert 3_900_000 < width * height <= 4_000_000
    expected = np.asarray(Image.fromarray(pixels).resize((width, height), Image.Resampling.BICUBIC)).astype(int)
    assert np.abs(found.astype(int) - expected).mean() < 2


@pytest.mark.parametrize(
    ("size", "limit", "failure"),
    [((2500, 2000), 0, "too-large"), ((300, 200), 0, "blank")],
)
def test_a_blank_canvas_is_never_an_answer(size: tuple[int, int], limit: int, failure: str, page: Page) -> None:
    file = encode(Image.fromarray(smooth(*size)), "JPEG")
    page.evaluate(LIMIT_BITMAP, limit)
    assert decode(page, file) == failure


def test_a_wholly_transparent_picture_is_blank(page: Page) -> None:
    assert decode(page, encode(Image.new("RGBA", (40, 30)), "PNG")) == "blank"


def test_memory_that_cannot_be_had_is_called_that(page: Page) -> None:
    page.evaluate(
        "() => { const none = () => { throw new RangeError('none left'); };"
        " OffscreenCanvasRenderingContext2D.prototype.getImageData = none; }"
    )
    assert decode(page, encode(Image.fromarray(smooth(2500, 2000)), "JPEG")) == "too-large"
