"""Profiles become sRGB; Chromium and Firefox agree within 2 of 255, of the same bytes."""

import base64
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page, sync_playwright

from fieldguide.images.decode import inspect, load_rgb
from tests.images.pictures import encode
from tests.images.profiles import CMYK, COLOR_PHOTOS, GRAY, P3, PHOTO, SWAPPED
from tests.web.conftest import find_browser
from tests.web.firefox import Firefox, firefox_running

DECODE = """async (base64) => {
  const blob = new Blob([Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0))]);
  const options = { imageOrientation: 'from-image', colorSpaceConversion: 'default', premultiplyAlpha: 'none' };
  const bitmap = await createImageBitmap(blob, options);
  const canvas = new OffscreenCanvas(bitmap.width, bitmap.height);
  const context = canvas.getContext('2d', { colorSpace: 'srgb' });
  context.drawImage(bitmap, 0, 0);
  return Array.from(context.getImageData(0, 0, canvas.width, canvas.height).data);
}"""


def shown(content: bytes) -> np.ndarray:
    found = inspect(content, min_side=1, max_pixels=10**6)
    assert found.flaw is None
    return np.asarray(found.image, dtype=np.int16)


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    chromium = find_browser("chromium", "chromium-browser", "google-chrome")
    with sync_playwright() as playwright:
        # Chromium's own sandbox needs rights that root in a container lacks.
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield browser.new_page()
        browser.close()


@pytest.fixture(scope="module")
def firefox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Firefox]:
    program = find_browser("firefox-esr", "firefox")
    with firefox_running(program, tmp_path_factory.mktemp("firefox") / "profile") as firefox:
        yield firefox


def difference(name: str, evaluate: Callable[[str, str], Any]) -> int:
    """The largest between what is seen of a photo here and in a browser, of 255."""
    content = COLOR_PHOTOS[name]()
    ours = shown(content)
    theirs = np.array(evaluate(DECODE, base64.b64encode(content).decode())).reshape(*ours.shape[:2], 4)
    color, alpha = theirs[..., :3], theirs[..., 3:]
    return int(np.abs(np.round((color * alpha + 255 * (255 - alpha)) / 255) - ours).max())


@pytest.mark.slow
@pytest.mark.parametrize("name", COLOR_PHOTOS)
def test_chromium_shows_the_same(name: str, page: Page) -> None:
    assert difference(name, page.evaluate) <= 2


FIREFOX_DIFFERS = {
    "cmyk-profile.jpg",  # profiles of inks are ignored
    "chroma-halved.avif",  # colours of an AVIF that keeps fewer of them are repeated, not interpolated
}


@pytest.mark.slow
@pytest.mark.parametrize("name", COLOR_PHOTOS)
def test_firefox_shows_the_same(name: str, firefox: Firefox) -> None:
    assert (difference(name, firefox.evaluate) <= 2) == (name not in FIREFOX_DIFFERS)


RAW = np.asarray(PHOTO, dtype=np.int16)


def test_a_profile_that_swaps_two_colors() -> None:
    image = shown(encode(PHOTO, "PNG", icc_profile=SWAPPED))
    assert np.abs(image - RAW[..., [1, 0, 2]]).max() <= 1
    squared, _ = load_rgb(encode(PHOTO, "PNG", icc_profile=SWAPPED), shorter_side=10)
    assert (np.asarray(squared) == image).all()


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "WEBP"])
def test_the_profile_counts_in_every_format(kind: str) -> None:
    image = shown(encode(PHOTO, kind, icc_profile=SWAPPED, **({"lossless": True} if kind == "WEBP" else {})))
    assert np.abs(image - RAW[..., [1, 0, 2]]).max() <= 1


@pytest.mark.parametrize(
    "profile", [P3[:200], P3[:10], b"\xff" * 500, P3.replace(b"rXYZ", b"qXYZ"), CMYK, GRAY], ids=lambda p: len(p)
)
def test_a_profile_that_cannot_count_does_not(profile: bytes) -> None:
    assert (shown(encode(PHOTO, "PNG", icc_profile=profile)) == RAW).all()


def test_a_wide_gamut_grows_more_colorful() -> None:
    red = Image.new("RGB", (8, 8), (200, 100, 100))
    assert shown(encode(red, "PNG", icc_profile=P3))[0, 0].tolist() == [215, 93, 97]


def test_the_profile_of_a_deep_picture_counts() -> None:
    deep = Image.fromarray(np.asarray(PHOTO.convert("L")).astype(np.uint16) * 257)
    plain, managed = shown(encode(deep, "TIFF")), shown(encode(deep, "TIFF", icc_profile=GRAY))
    assert 10 < np.abs(plain - managed).max() < 30
