"""Nothing leaves the device: the page's Content-Security-Policy refuses other addresses, and the page asks for none."""

import socket
from collections.abc import Iterator

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.web.conftest import GUIDE, PATIENCE, answer, await_offline, photo_file
from tests.web.serving import Site
from tests.web.test_accessibility import STATES

pytestmark = pytest.mark.slow

WATCH = """addEventListener('securitypolicyviolation', ({ effectiveDirective, blockedURI }) =>
  (window.violations ??= []).push([effectiveDirective, new URL(blockedURI).origin]))"""
VIOLATIONS = "window.violations ?? []"
FETCH = """(address) => fetch(address, { mode: 'no-cors', signal: AbortSignal.timeout(3000) })
  .then(() => 'let through', ({ name }) => (name === 'TimeoutError' ? 'let through' : 'refused'))"""
LOAD = """(address) => new Promise((resolve) => {
  const image = new Image();
  Object.assign(image, { onload: () => resolve('let through'), onerror: () => resolve('refused'), src: address });
  setTimeout(resolve, 3000, 'let through');
})"""
"""Ask an address; whoever waits for its answer was let through."""


@pytest.fixture
def elsewhere() -> Iterator[socket.socket]:
    """A server of another origin that takes note of whoever comes."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        yield server


def watched(context: BrowserContext, site: Site) -> Page:
    context.add_init_script(WATCH)
    page = context.new_page()
    page.goto(site.address(GUIDE))
    return page


def test_the_page_breaks_its_own_policy_in_no_state(context: BrowserContext, site: Site) -> None:
    page = watched(context, site)
    for reach in STATES.values():
        reach(page)
    page.locator("#examples button").first.click()
    expect(page.locator("body[data-state=answered]")).to_be_visible(timeout=PATIENCE)
    await_offline(page)
    assert page.evaluate(VIOLATIONS) == []


def test_other_addresses_are_refused_to_the_page_and_to_its_worker(
    context: BrowserContext, site: Site, elsewhere: socket.socket
) -> None:
    page = watched(context, site)
    answer(page, photo_file("plain.png"))
    other = f"http://127.0.0.1:{elsewhere.getsockname()[1]}"
    assert page.evaluate(FETCH, f"{other}/fetched") == "refused"
    assert page.evaluate(LOAD, f"{other}/seen.png") == "refused"
    assert page.evaluate(VIOLATIONS) == [["connect-src", other], ["img-src", other]]
    (worker,) = page.workers
    assert worker.evaluate(FETCH, f"{other}/fetched") == "refused"
    with pytest.raises(BlockingIOError):
        elsewhere.accept()
    # Both would be let through without it.
    free = context.new_page()
    free.goto(site.address(GUIDE) + "labels.json")
    assert free.evaluate(LOAD, site.address(GUIDE) + "icon-192.png") == "let through"
    assert free.evaluate(FETCH, f"{other}/fetched") == "let through"
    elsewhere.accept()[0].close()
