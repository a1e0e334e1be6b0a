"""The page for everybody: axe finds nothing in any state, mode and direction, and an answer is read out."""

import functools
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, Route, expect

from fieldguide.export.node import WEB
from tests.records.making import TAXONOMY
from tests.web.conftest import GUIDE, PATIENCE, answer, photo_file
from tests.web.serving import Site, export_anew
from tests.web.test_exif import NORTH, jpeg
from tests.web.test_page import expected_logits
from tests.web.test_several import add

pytestmark = pytest.mark.slow

AXE = WEB.parent / "node_modules" / "axe-core" / "axe.min.js"
AUDIT = """async () => {
  const { violations } = await axe.run(document, { rules: { 'target-size': { enabled: true } } });
  const name = ({ id, nodes }) => nodes.map(({ html, failureSummary }) => `${id}: ${html} ${failureSummary}`);
  return violations.flatMap(name);
}"""
"""All that axe-core checks by default and the size of targets, which WCAG 2.2 asks for."""

PHONE, DESKTOP, ENLARGED = (390, 844), (1200, 900), (320, 400)
"""Viewports, px; the last is what 200 % zoom leaves of 640 x 800, and no wider than WCAG's reflow asks for."""
MODES: dict[str, tuple[tuple[int, int], dict[str, Any]]] = {
    "light": (DESKTOP, {"color_scheme": "light"}),
    "dark": (PHONE, {"color_scheme": "dark"}),
    "forced colours": (DESKTOP, {"color_scheme": "dark", "forced_colors": "active"}),
    "200 %": (ENLARGED, {"color_scheme": "light"}),
}
AT_REST = {"color_scheme": "light", "forced_colors": "none", "reduced_motion": "reduce"}

WIDER_THAN_PAGE = """() => {
  if (document.scrollingElement.scrollWidth <= innerWidth) return [];
  const isBeyond = (it) => it.getBoundingClientRect().right > innerWidth + 1;
  return [...document.body.querySelectorAll('*')].filter(isBeyond).map((it) => it.outerHTML);
}"""
"""What would have to be scrolled to sideways."""


def audit(page: Page, state: str, modes: Iterable[str] = MODES) -> None:
    """Fail with whatever axe finds in any of these modes."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE.read_text(encoding="utf-8"))
    for mode in modes:
        viewport, media = MODES[mode]
        page.set_viewport_size({"width": viewport[0], "height": viewport[1]})
        page.emulate_media(**{**AT_REST, **media})
        assert page.evaluate(AUDIT) == [], f"{state}, {mode}"
        assert page.evaluate(WIDER_THAN_PAGE) == [], f"{state}, {mode}"


def ready(page: Page) -> None:
    expect(page.locator("body[data-state=ready]")).to_be_visible(timeout=PATIENCE)


def answered_at(place: dict[int, Any], page: Page) -> None:
    answer(page, {"mimeType": "image/jpeg", "name": "a.jpg", "buffer": jpeg(place, "2021:05:12 10:00:00")})
    expect(page.locator("#nowhere")).to_be_visible()


def failed(page: Page) -> None:
    page.locator("#pick").set_input_files({"name": "x.jpg", "mimeType": "image/jpeg", "buffer": b"<html>"})
    expect(page.locator("#failure")).to_be_visible(timeout=PATIENCE)


def opened(button: str, page: Page) -> None:
    """The dialog that a button of the page opens, in place of any other."""
    while page.locator("dialog[open]").count():
        page.keyboard.press("Escape")
    page.locator(button).click()
    expect(page.locator("dialog[open]")).to_be_visible(timeout=PATIENCE)


def kept(page: Page) -> None:
    page.locator("#keep button").click()
    expect(page.locator("#num-finds")).not_to_be_empty(timeout=PATIENCE)
    opened("#open-notebook", page)


def closed(page: Page) -> None:
    while page.locator("dialog[open]").count():
        page.keyboard.press("Escape")


STATES: dict[str, Callable[[Page], Any]] = {
    "empty": ready,
    "answered": lambda page: answer(page, photo_file("plain.png")),
    "where it looked": lambda page: page.locator("#why-toggle").click(),
    "a part": functools.partial(opened, "#choose-part"),
    "the map": functools.partial(opened, "#on-map"),
    "the camera": functools.partial(opened, "#live"),
    "the species": functools.partial(opened, "#browse"),
    "a species": lambda page: page.locator("#species-list .row").first.click(),
    "the notebook": lambda page: (closed(page), kept(page)),
    "no dialog": closed,
    "several photos": lambda page: add(page, photo_file("b.png", (90, 160))),
    "a place and a month": functools.partial(answered_at, NORTH),
    "failed": failed,
    "a newer guide": lambda page: page.locator("#update").evaluate("(it) => { it.hidden = false; }"),
}
"""How to reach each from the one before."""


def test_axe_finds_nothing_in_any_state(page: Page) -> None:
    for state, reach in STATES.items():
        reach(page)
        audit(page, state)


def test_axe_finds_nothing_from_right_to_left(page: Page) -> None:
    page.locator("#language").select_option("ar")
    expect(page.locator("html")).to_have_attribute("dir", "rtl")
    for state, reach in STATES.items():
        reach(page)
        audit(page, state, ["dark", "forced colours"])


LIVE = """() => {
  const answer = document.getElementById('answer');
  const note = () => (window.said ??= []).push([answer.getAttribute('aria-busy'), answer.innerText]);
  new MutationObserver(note).observe(answer, { attributeFilter: ['aria-busy'] });
}"""
"""Take note of what the answer says whenever it begins or ends to be worked at: then it is read out."""


def test_an_answer_is_read_out_with_rank_name_and_certainty(page: Page) -> None:
    ready(page)
    page.evaluate(LIVE)
    best = answer(page, photo_file("plain.png"))["best"]
    (begun, _), (ended, text) = page.evaluate("window.said")
    assert (begun, ended) == ("true", "false")
    named = TAXONOMY.vernacular.get(best["name"], best["name"])
    said = [line.lower() for line in text.splitlines() if line]
    assert (
        said.index(best["rank"]) < said.index(named.lower()) < said.index(f"{round(100 * best['probability'])}% sure")
    )
    # To the browser, too, it is a region that is read out when it changes.
    session = page.context.new_cdp_session(page)
    root = session.send("DOM.getDocument")["root"]["nodeId"]
    node = session.send("DOM.querySelector", {"nodeId": root, "selector": "#answer"})["nodeId"]
    (region, *_) = session.send("Accessibility.getPartialAXTree", {"nodeId": node, "fetchRelatives": False})["nodes"]
    assert (region["role"]["value"], region["name"]["value"]) == ("region", "Answer")
    assert {each["name"]: each["value"]["value"] for each in region["properties"]}["live"] == "polite"


@pytest.mark.parametrize("language", sorted(file.stem for file in WEB.glob("languages/*.json")))
def test_no_language_is_wider_than_a_narrow_page(language: str, page: Page) -> None:
    width, height = ENLARGED
    page.set_viewport_size({"width": width, "height": height})
    page.locator("#language").select_option(language)
    answer(page, photo_file("plain.png"))
    assert page.evaluate(WIDER_THAN_PAGE) == []
    opened("#browse", page)
    assert page.evaluate(WIDER_THAN_PAGE) == []


def test_axe_finds_nothing_while_the_guide_is_loaded(context: BrowserContext, site: Site) -> None:
    held: list[Route] = []
    page = context.new_page()
    page.route("**/group1-*", lambda route: held.append(route))
    page.goto(site.address(GUIDE), wait_until="commit")
    expect(page.locator("#download")).to_contain_text("MB", timeout=PATIENCE)
    audit(page, "loading")
    page.locator("#pick").set_input_files(photo_file("plain.png"))
    expect(page.locator("#waiting")).to_be_visible()
    audit(page, "waiting for the guide")


def test_axe_finds_nothing_where_the_guide_does_not_come(context: BrowserContext, site: Site) -> None:
    page = context.new_page()
    page.route("**/model.json", lambda route: route.abort())
    page.goto(site.address(GUIDE))
    expect(page.locator("#again")).to_be_visible(timeout=PATIENCE)
    audit(page, "no guide")


VERDICTS = {
    "taxon": (1, 0.4, None),
    "outside": (0, 0.4, None),
    "unsure": (1, 1.01, None),
    "strange": (1, 0.4, 1e6),
}
"""The class that the likeliest logit is called, how sure the guide, which is all but certain, must be, and how familiar
a photo must look."""


@pytest.fixture(params=VERDICTS)
def verdict(request: pytest.FixtureRequest, site: Site, paths: dict[str, Path], tmp_path: Path) -> str:
    """A verdict, and a guide at `verdict/` that comes to it."""
    called, min_confidence, min_familiarity = VERDICTS[request.param]
    classes, start = {}, 0
    logits = expected_logits(paths, photo_file("plain.png"))
    for rank, names in TAXONOMY.classes.items():
        best = int(logits[start : start + len(names)].argmax())
        start += len(names)
        classes[rank] = names.copy()
        classes[rank][called], classes[rank][best] = names[best], names[called]
    rule = {
        "thresholds": dict.fromkeys(classes, min_confidence),
        "min_familiarity": min_familiarity,
        "set_limit": 1,
        "num_chosen_by": 50,
    }
    changes = {
        "labels.json": {"classes": classes},
        "calibration.json": {
            "temperatures": dict.fromkeys(classes, 0.01),
            "rules": {"measured": {"one": rule}, "fallback": rule},
        },
    }
    site.publish(export_anew(paths["bundle"], tmp_path / "verdict", changes), "verdict")
    return str(request.param)


def test_axe_finds_nothing_in_any_verdict(verdict: str, context: BrowserContext, site: Site) -> None:
    page = context.new_page()
    page.goto(site.address("verdict"))
    assert answer(page, photo_file("plain.png"))["verdict"] == verdict
    audit(page, verdict)
