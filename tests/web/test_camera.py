"""From the camera's file: what the page answers, in Chromium and in Firefox, against photo -> record -> answer."""

import base64
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Browser

from fieldguide.export.inputs import decode_squares, normalise_squares
from fieldguide.export.model_files import Preprocessing
from fieldguide.export.params import Limits
from fieldguide.export.parity import check_agreements, compare, predict_onnxruntime
from fieldguide.images.decode import decode_photo
from fieldguide.images.encode import ImageFormat
from fieldguide.images.square import make_square
from fieldguide.records.squaring import encode_square
from tests.records.making import STYLE, TAXONOMY
from tests.web.camera import CAMERA_FILES
from tests.web.conftest import GUIDE
from tests.web.firefox import Firefox
from tests.web.serving import served

pytestmark = pytest.mark.slow

ANSWER = """async ([content, name]) => {
  const answered = new Promise((resolve, reject) => {
    document.addEventListener('fieldguide:answer', ({ detail }) => resolve(Array.from(detail.logits)), { once: true });
    setTimeout(() => reject(new Error(document.getElementById('reason').textContent || 'no answer')), 60_000);
  });
  const data = new DataTransfer();
  data.items.add(new File([Uint8Array.from(atob(content), (letter) => letter.charCodeAt(0))], name));
  document.dispatchEvent(new DragEvent('drop', { dataTransfer: data, cancelable: true }));
  return answered;
}"""
"""What the page answers to a file that is dropped on it."""

ENGINE = """() => new Promise((resolve) => {
  const look = () => {
    const { textContent } = document.getElementById('engine');
    if (textContent) resolve(textContent);
    else setTimeout(look, 20);
  };
  look();
})"""
"""What answers, which the page says a little after the first answer."""

Evaluate = Callable[[str, Any], Any]

LOSSLESS = STYLE.model_copy(update={"format": ImageFormat.PNG})
"""Records that keep every pixel: the page does not repeat the JPEG of a record (docs/formats.md says what it moves)."""
LIMITS = {
    "square": Limits(min_top1_agreement=1, max_logit_error=0.5),
    "record": Limits(min_top1_agreement=1, max_logit_error=1),
}
"""Of logits that span 27. Weights rounded to 16 bits and colours that differ by 2 of 255 move them by up to 0.25; the
pipeline's decoding of large JPEGs at a smaller scale does by up to 0.4."""
UNALIKE = {("firefox", "cmyk-profile.jpg")}
"""Firefox shows the inks of a CMYK photo without their profile, and no page can do otherwise."""


def pipeline_logits(content: bytes, paths: dict[str, Path]) -> tuple[np.ndarray, np.ndarray]:
    """What the network makes of a photo's square and of its record, float32 [classes] each."""
    settings = Preprocessing.read(paths["bundle"])
    photo = decode_photo(content, None).image
    assert photo is not None
    square = np.asarray(make_square(photo, STYLE.layout)[0])
    (record,) = decode_squares([encode_square(content, LOSSLESS)[0]])
    inputs = normalise_squares(np.stack([square, record]), settings.image_size, settings.mean, settings.std)
    of_square, of_record = predict_onnxruntime(paths["out"] / "student.onnx", inputs)
    return of_square, of_record


def page_logits(evaluate: Evaluate, name: str, content: bytes) -> np.ndarray:
    return np.array(evaluate(ANSWER, [base64.b64encode(content).decode(), name]), np.float32)


@pytest.fixture(scope="module")
def address(paths: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with served(tmp_path_factory.mktemp("camera") / "site") as site:
        site.publish(paths["bundle"], GUIDE)
        yield site.address(GUIDE)


@pytest.fixture(scope="module")
def evaluators(browser: Browser, firefox: Firefox, address: str) -> Iterator[dict[str, Evaluate]]:
    """By browser: a page of it with the guide opened, which evaluates functions of JavaScript."""
    context = browser.new_context()
    page = context.new_page()
    page.goto(address)
    firefox.open(address)
    yield {"chromium": page.evaluate, "firefox": firefox.evaluate}
    context.close()


@pytest.mark.parametrize("name", ["chromium", "firefox"])
def test_a_cameras_file_is_answered_as_in_the_pipeline(
    name: str, evaluators: dict[str, Evaluate], paths: dict[str, Path]
) -> None:
    kinds = [kind for kind in CAMERA_FILES if (name, kind) not in UNALIKE]
    contents = [CAMERA_FILES[kind]() for kind in kinds]
    found = np.stack([page_logits(evaluators[name], *file) for file in zip(kinds, contents, strict=True)])
    expected = np.stack([pipeline_logits(content, paths) for content in contents], axis=1)
    agreements = {}
    for (way, limits), reference in zip(LIMITS.items(), expected, strict=True):
        errors = np.abs(found - reference).max(axis=1)
        print(name, way, dict(zip(kinds, errors.round(3).tolist(), strict=True)))
        agreements[way] = compare(reference, found, len(TAXONOMY.classes["species"]), limits.max_logit_error)
    check_agreements(agreements, LIMITS)


def test_firefox_is_served_as_chromium_is(evaluators: dict[str, Evaluate]) -> None:
    """The first photo that is answered says all that the page says of an answer, with the backend that is fast."""
    evaluate = evaluators["firefox"]
    page_logits(evaluate, "plain.jpg", CAMERA_FILES["plain.jpg"]())
    said = evaluate("() => ['name', 'confidence'].map((id) => document.getElementById(id).textContent)", None)
    assert said[0]
    assert said[1].endswith("% sure")
    assert "wasm" in evaluate(ENGINE, None)
