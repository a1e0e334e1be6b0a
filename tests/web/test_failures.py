"""What the page says when something goes wrong: what really happened."""

import io
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import BrowserContext, Page, expect

from tests.web.conftest import GUIDE, PATIENCE, answer, photo_file
from tests.web.serving import Site, export_anew

pytestmark = pytest.mark.slow


def cut_short(file: dict[str, Any], length: int) -> bytes:
    return bytes(file["buffer"][:length])


def tiff() -> bytes:
    stream = io.BytesIO()
    Image.new("RGB", (8, 8)).save(stream, "TIFF")
    return stream.getvalue()


BAD_PHOTOS = {
    "a web page": ("x.jpg", b"<html>", "x.jpg is not an image"),
    "a document": ("list.pdf", b"%PDF-1.7 and so on", "list.pdf is not an image"),
    "random bytes": ("x.png", bytes(range(200, 256)) * 9, "x.png is not an image"),
    "nothing": ("x.jpg", b"", "x.jpg is empty"),
    "the head of a JPEG": (
        "x.jpg",
        cut_short(photo_file("plain.jpg"), 300),
        "x.jpg is a JPEG image, but it is damaged",
    ),
    "the head of a PNG": ("x.png", cut_short(photo_file("plain.png"), 30), "x.png is a PNG image, but it is damaged"),
    "a JPEG by another name": ("x.gif", cut_short(photo_file("plain.jpg"), 300), "x.gif is a JPEG image, but"),
    "HEIC": (
        "x.heic",
        b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(99),
        "cannot open HEIC images. Save x.heic as JPEG",
    ),
    "TIFF": ("x.tif", tiff(), "cannot open TIFF or camera raw images"),
    "JPEG XL": ("x.jxl", b"\xff\x0a" + bytes(99), "cannot open JPEG XL images"),
}


def test_a_file_that_cannot_be_answered_says_why_and_the_next_one_is_answered(page: Page) -> None:
    for what, (name, content, message) in BAD_PHOTOS.items():
        page.locator("#pick").set_input_files({"name": name, "mimeType": "image/jpeg", "buffer": content})
        expect(page.locator("#reason"), what).to_contain_text(message, timeout=PATIENCE)
        expect(page.locator("#again"), what).to_be_hidden()
        expect(page.locator("#photo"), what).to_be_hidden()
    answer(page, photo_file("plain.png"))
    expect(page.locator("#failure")).to_be_hidden()
    expect(page.locator("#photo")).to_be_visible()


@pytest.mark.parametrize(
    ("file", "fulfil", "message"),
    [
        ("model.json", lambda route: route.abort(), "model.json could not be downloaded (Failed to fetch)"),
        ("group1-shard1of1.bin.gzip", lambda route: route.fulfill(status=404), "(the server answers 404)"),
        ("bundle.json", lambda route: route.fulfill(status=503), "bundle.json could not be downloaded"),
        (
            "tfjs-backend-wasm-simd.wasm.gzip",
            lambda route: route.abort(),
            "tfjs-backend-wasm-simd.wasm.gzip could not be downloaded",
        ),
        ("worker.js", lambda route: route.fulfill(body="throw 'old'"), "worker.js is damaged, or the guide is being"),
        (
            "labels.json",
            lambda route: route.fulfill(body="{}"),
            "labels.json is damaged, or the guide is being replaced",
        ),
        (
            "bundle.json",
            lambda route: route.fulfill(body="<html>"),
            "bundle.json is damaged, or the guide is being replaced",
        ),
    ],
)
def test_a_guide_that_does_not_come_says_why_and_is_tried_again(
    file: str, fulfil: Any, message: str, context: BrowserContext, site: Site
) -> None:
    page = context.new_page()
    page.route(f"**/{file}", fulfil)
    page.goto(site.address(GUIDE))
    expect(page.locator("#reason")).to_contain_text(message, timeout=PATIENCE)
    page.locator("#pick").set_input_files(photo_file("plain.png"))
    expect(page.locator("#reason")).to_contain_text(message, timeout=PATIENCE)
    expect(page.locator("#progress")).to_be_hidden()
    page.unroute(f"**/{file}")
    page.locator("#again").click()
    # The photo was not forgotten.
    expect(page.locator("body[data-state=answered]")).to_be_visible(timeout=PATIENCE)
    expect(page.locator("#offline")).to_have_text("Works offline", timeout=PATIENCE)


def test_an_example_that_does_not_come_is_no_fault_of_the_photo(
    context: BrowserContext, site: Site, paths: dict[str, Path]
) -> None:
    for example in (site.root / GUIDE / "examples").iterdir():
        example.unlink()
    page = context.new_page()
    page.goto(site.address(GUIDE))
    page.locator("#examples button").first.click(timeout=PATIENCE)
    expect(page.locator("#reason")).to_contain_text(".jpg could not be downloaded (the server answers 404)")
    site.publish(paths["bundle"], GUIDE)
    page.locator("#again").click()
    expect(page.locator("body[data-state=answered]")).to_be_visible(timeout=PATIENCE)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"selftest.json": {"logits": [0, 0, 0, 0, 0, 0, 0, 99]}},
            "No backend can run the model (wasm: its answer is off by",
        ),
        ({"model.json": {"modelTopology": {"node": []}}}, "No backend can run the model (wasm: "),
    ],
)
def test_a_wrong_model_is_not_trusted(
    changes: dict[str, Any], message: str, context: BrowserContext, site: Site, paths: dict[str, Path], tmp_path: Path
) -> None:
    site.publish(export_anew(paths["bundle"], tmp_path / "wrong", changes), "wrong")
    page = context.new_page()
    page.goto(site.address("wrong"))
    expect(page.locator("#reason")).to_contain_text(message, timeout=PATIENCE)
    page.locator("#pick").set_input_files(photo_file("plain.png"))
    expect(page.locator("#reason")).to_contain_text(message, timeout=PATIENCE)


def test_a_fault_of_the_page_itself_is_called_one(context: BrowserContext, site: Site) -> None:
    page = context.new_page()
    page.add_init_script("delete self.Worker; console.error = () => {};")
    page.add_init_script(
        "createImageBitmap = async () => ({ width: 8, height: 8, close() { throw new Error('odd'); } });"
    )
    page.goto(site.address(GUIDE))
    page.locator("#pick").set_input_files(photo_file("plain.png"))
    expect(page.locator("#reason")).to_contain_text(
        "Something unforeseen went wrong while the photo was answered: ", timeout=PATIENCE
    )
