"""web/thread.js and web/worker.js: photos are answered off the page's thread, and on it where a browser cannot."""

import pytest
from playwright.sync_api import BrowserContext, Page, Route, expect

from tests.web.conftest import GUIDE, PATIENCE, answer, photo_file
from tests.web.serving import Site

pytestmark = pytest.mark.slow

ONLY_SHOWS = """() => {
  const refuse = () => { throw new Error('this is the work of the worker'); };
  globalThis.createImageBitmap = CanvasRenderingContext2D.prototype.getImageData = refuse;
  for (const name of ['instantiate', 'instantiateStreaming', 'compile']) WebAssembly[name] = refuse;
}"""

LACKS = {
    "workers": "delete self.Worker",
    "canvases off the page": "delete self.OffscreenCanvas",
    "modules in workers": "{ const Plain = Worker; self.Worker = function (url) { return new Plain(url); }; }",
    "workers of a page's own making": "self.Worker = function () { throw new DOMException('refused'); }",
}
"""What a browser may lack, and what makes ours lack it."""


def open_guide(context: BrowserContext, site: Site, first: str) -> Page:
    """The guide in a page that runs `first` before any script of its own."""
    page = context.new_page()
    page.add_init_script(first)
    page.goto(site.address(GUIDE))
    return page


def test_the_page_thread_neither_decodes_nor_runs_the_model(context: BrowserContext, site: Site) -> None:
    page = open_guide(context, site, f"({ONLY_SHOWS})()")
    answer(page, photo_file("turned.jpg"))
    expect(page.locator("#engine")).to_contain_text("wasm")
    assert len(page.workers) == 1


@pytest.mark.parametrize("lacking", LACKS)
def test_a_browser_that_lacks_something_answers_the_same_on_the_page_thread(
    lacking: str, context: BrowserContext, site: Site, page: Page
) -> None:
    file = photo_file("turned.jpg")
    other = open_guide(context, site, LACKS[lacking])
    assert answer(other, file)["logits"] == answer(page, file)["logits"]
    expect(other.locator("#engine")).to_contain_text("wasm")
    assert other.workers == []


def test_a_worker_of_another_export_that_never_says_it_is_here_is_left(context: BrowserContext, site: Site) -> None:
    """What came early may be half a file; the right one is asked for past the browser's cache."""
    asked: list[str] = []

    def answer_first(route: Route) -> None:
        asked.append(route.request.url)
        if len(asked) == 1:
            route.fulfill(body="", content_type="text/javascript")
        else:
            route.continue_()

    context.route("**/worker.js", answer_first)
    page = open_guide(context, site, "")
    answer(page, photo_file("plain.png"))
    expect(page.locator("#engine")).to_contain_text("wasm")
    assert len(page.workers) == 1


def test_a_photo_that_fails_in_the_worker_is_told_in_the_words_of_the_page(page: Page) -> None:
    page.locator("#pick").set_input_files({"name": "", "mimeType": "image/jpeg", "buffer": b"<html>"})
    expect(page.locator("#reason")).to_contain_text("is not an image. Choose a photo.", timeout=PATIENCE)
    answer(page, photo_file("plain.png"))


def test_a_browser_that_cannot_unpack_answers_the_same(context: BrowserContext, site: Site, page: Page) -> None:
    file = photo_file("turned.jpg")
    other = open_guide(context, site, "delete self.DecompressionStream")
    assert answer(other, file)["logits"] == answer(page, file)["logits"]
