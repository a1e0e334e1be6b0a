"""The exported page in a real browser: it answers as ONNX Runtime does, and goes on without a network."""

import io
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, BrowserContext, Page, Route, expect, sync_playwright

from fieldguide.export.inputs import normalise_squares
from fieldguide.export.parity import predict_onnxruntime
from fieldguide.images.geometry import Method, make_square
from tests.export.exporting import export_once
from tests.export.making import IMAGE_SIZE
from tests.records.making import TAXONOMY

pytestmark = pytest.mark.slow

SERVE = (
    "import functools, http.server, sys\n"
    "handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=sys.argv[1])\n"
    "server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), handler)\n"
    "print(server.server_port, flush=True)\n"
    "server.serve_forever()\n"
)
"""`python -m http.server` as `make web` runs it, on a free port that it prints."""

LOGIT_ERROR = 0.1
"""What float16 weights may cost."""


@pytest.fixture(scope="module")
def paths(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return export_once(tmp_path_factory.getbasetemp() / "export")[0]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        if os.environ.get("CI") == "true":
            pytest.fail("CI has no chromium; .ci/run installs it")
        pytest.skip("no chromium on this machine")
    with sync_playwright() as playwright:
        # Chromium's own sandbox needs rights that root in a container lacks.
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def server(paths: dict[str, Path]) -> Iterator[tuple[subprocess.Popen[str], str]]:
    command = [sys.executable, "-c", SERVE, str(paths["bundle"])]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout is not None
        yield process, f"http://127.0.0.1:{int(process.stdout.readline())}/"
        process.terminate()


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    context = browser.new_context(viewport={"width": 390, "height": 844})
    yield context
    context.close()


@pytest.fixture
def page(context: BrowserContext, server: tuple[subprocess.Popen[str], str]) -> Iterator[Page]:
    page = context.new_page()
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
    page.add_init_script("addEventListener('fieldguide:answer', ({ detail }) => { window.answered = detail; }, true)")
    page.goto(server[1])
    yield page
    assert problems == []


def photo_file(kind: str) -> dict[str, Any]:
    """A wide colour photo, 200 x 150 px, as the browser's file chooser takes it."""
    yy, xx = np.mgrid[:150, :200]
    pixels = np.stack([xx, yy, (xx * yy) // 150 % 256], axis=-1).astype(np.uint8)
    stream = io.BytesIO()
    image = Image.fromarray(pixels)
    if kind == "turned.jpg":
        exif = Image.Exif()
        exif[0x0112] = 6
        image.rotate(90, expand=True).save(stream, "JPEG", quality=95, exif=exif)
    else:
        image.save(stream, kind.split(".")[1].upper())
    mime = "image/jpeg" if kind.endswith("jpg") else f"image/{kind.split('.')[1]}"
    return {"name": kind, "mimeType": mime, "buffer": stream.getvalue()}


def expected_logits(paths: dict[str, Path], file: dict[str, Any]) -> np.ndarray:
    """What the trained network makes of the same photo in the pipeline: float32 [classes]."""
    from fieldguide.images.decode import upright_rgb

    square, _ = make_square(upright_rgb(Image.open(io.BytesIO(file["buffer"]))), 32, Method.PAD, (255, 255, 255))
    images = normalise_squares(np.asarray(square)[None], IMAGE_SIZE, [0.5, 0.4, 0.3], [0.5, 0.25, 0.2])
    return predict_onnxruntime(paths["out"] / "student.onnx", images)[0]


def answer(page: Page, file: dict[str, Any]) -> dict[str, Any]:
    """Give the page a photo and wait for what it concludes."""
    page.locator("#pick").set_input_files(file)
    expect(page.locator("body[data-state=answered]")).to_be_visible(timeout=30_000)
    answered: dict[str, Any] = page.evaluate("window.answered")
    return answered


@pytest.mark.parametrize("kind", ["plain.png", "plain.webp", "turned.jpg"])
def test_a_photo_is_answered_as_in_training(kind: str, page: Page, paths: dict[str, Path]) -> None:
    file = photo_file(kind)
    answered = answer(page, file)
    logits, expected = np.array(answered["logits"]), expected_logits(paths, file)
    assert np.abs(logits - expected).max() < LOGIT_ERROR
    assert logits[:5].argmax() == expected[:5].argmax()
    names = TAXONOMY.classes[answered["best"]["rank"]]
    assert answered["best"]["name"] in names
    shown = page.locator("#name").inner_text()
    assert shown == TAXONOMY.vernacular.get(answered["best"]["name"], answered["best"]["name"])
    assert f"{round(100 * answered['best']['probability'])} % sure" in page.locator("#confidence").inner_text()
    expect(page.locator("#engine")).to_contain_text("wasm")


def test_an_example_is_answered_and_credited(page: Page) -> None:
    page.locator("#examples button").first.click()
    expect(page.locator("body[data-state=answered]")).to_be_visible(timeout=30_000)
    expect(page.locator("#caption")).to_contain_text("CC")


def test_a_file_that_is_no_photo_is_refused_and_the_next_one_answered(page: Page) -> None:
    page.locator("#pick").set_input_files({"name": "x.jpg", "mimeType": "image/jpeg", "buffer": b"<html>"})
    expect(page.locator("#failure")).to_contain_text("not a photo that the browser can read")
    answer(page, photo_file("plain.png"))
    expect(page.locator("#failure")).to_be_hidden()


def test_the_page_answers_the_same_without_its_server(
    page: Page, server: tuple[subprocess.Popen[str], str], context: BrowserContext
) -> None:
    before = answer(page, photo_file("plain.png"))
    page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    server[0].terminate()
    server[0].wait()
    context.set_offline(True)
    page.reload()
    assert answer(page, photo_file("plain.png")) == before


def test_a_photo_chosen_before_the_page_is_ready_is_answered(
    page: Page, server: tuple[subprocess.Popen[str], str], paths: dict[str, Path]
) -> None:
    held: list[Route] = []
    page.route("**/labels.json", lambda route: held.append(route))
    page.goto(server[1], wait_until="commit")
    page.locator("#pick").set_input_files(photo_file("plain.png"))
    while not held:
        page.wait_for_timeout(50)
    held[0].continue_()
    expect(page.locator("body[data-state=answered]")).to_be_visible(timeout=30_000)


def test_a_wrong_backend_is_not_trusted(page: Page, server: tuple[subprocess.Popen[str], str]) -> None:
    wrong = '{"logits": [0, 0, 0, 0, 0, 0, 0, 99], "tolerance": 0.1}'
    page.route("**/selftest.json", lambda route: route.fulfill(body=wrong, content_type="application/json"))
    page.goto(server[1])
    expect(page.locator("#failure")).to_contain_text("no backend can run the model (wasm: its answer is off by")
