"""The page by keyboard alone, and at rest for those who want that."""

import pytest
from playwright.sync_api import Page, expect

from tests.web.conftest import PATIENCE, answer, photo_file, press
from tests.web.test_accessibility import STATES, ready

pytestmark = pytest.mark.slow

FOCUSABLE = """() => [...document.querySelectorAll('a[href], button, input, select, textarea, summary, [tabindex="0"]')]
  .filter((it) => it.checkVisibility() && !it.disabled).map((it) => it.id || it.outerHTML)"""
FOCUSED = """() => {
  const [it, seen] = [document.activeElement, window.seen ??= new Set()];
  if (it === document.body || seen.has(it)) return null;
  seen.add(it);
  const isOutlined = (each) => {
    const { outlineStyle, outlineWidth } = getComputedStyle(each);
    return outlineStyle !== 'none' && parseFloat(outlineWidth) >= 2;
  };
  return [it.id || it.outerHTML, [it, ...(it.labels ?? [])].some(isOutlined)];
}"""
FROM_THE_TOP = """() => {
  window.seen = new Set();
  document.body.tabIndex = -1; // where a blurred element was, the next press would go on
  document.body.focus();
  document.body.removeAttribute('tabindex');
  scrollTo(0, 0);
}"""


def tab_through(page: Page) -> dict[str, bool]:
    """Everything that the tabulator key reaches, in its order, and whether it then shows an outline."""
    page.evaluate(FROM_THE_TOP)
    found = {}
    while True:
        page.keyboard.press("Tab")
        reached = page.evaluate(FOCUSED)
        if reached is None:
            return found
        found[reached[0]] = reached[1]


@pytest.mark.parametrize("state", ["empty", "several photos", "a place and a month"])
def test_the_keyboard_reaches_everything_and_shows_where_it_is(state: str, page: Page) -> None:
    for name, reach in STATES.items():
        reach(page)
        if name == state:
            break
    found = tab_through(page)
    assert set(found) == set(page.evaluate(FOCUSABLE))
    assert [name for name, is_seen in found.items() if not is_seen] == []


def test_the_keyboard_alone_comes_to_an_answer(page: Page) -> None:
    # Before any key: one that comes before the browser knows that a chooser is expected opens a real one.
    page.on("filechooser", lambda chooser: None)
    ready(page)
    with page.expect_file_chooser() as chooser:
        press(page.locator("#pick"), "Enter")
    chooser.value.set_files(photo_file("plain.png"))
    page.wait_for_function("() => window.answered", timeout=PATIENCE)
    with page.expect_file_chooser() as chooser:
        press(page.locator("#more"), "Space")
    chooser.value.set_files(photo_file("b.png", (90, 160)))
    expect(page.locator("#several li")).to_have_count(2, timeout=PATIENCE)
    press(page.locator("#several button").first, "Enter")
    expect(page.locator("#several")).to_be_hidden()
    expect(page.locator("#more")).to_be_focused()


def test_nothing_moves_for_those_who_do_not_want_it(page: Page) -> None:
    page.emulate_media(reduced_motion="reduce")
    answer(page, photo_file("plain.png"))
    moving = """() => [...document.querySelectorAll('*')].filter((it) => {
      const style = getComputedStyle(it);
      const times = `${style.transitionDuration}, ${style.animationDuration}`.split(', ');
      return times.some((each) => parseFloat(each) > 0) || style.scrollBehavior === 'smooth';
    }).map((it) => it.outerHTML)"""
    assert page.evaluate(moving) == []
    assert page.evaluate("document.getAnimations().length") == 0
