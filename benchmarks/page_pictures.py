"""Pictures of the page for the documentation, and what axe finds in each of its states.

    python -m benchmarks.page_pictures --bundle models/tfjs --out docs

writes `page.png`, `page-phone.png` and `page/*.png` into the folder, small enough to be committed, and `page/axe.md`:
the number of violations by state and mode, of the rules that tests/web/test_accessibility.py holds the page to. Look
at all of them: no test sees what is ugly.
"""

import argparse
import io
import json
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import Browser, Page, expect, sync_playwright

from benchmarks.page_visits import FAST, draw_strip, film
from fieldguide.export.node import WEB
from tests.web.conftest import ARGS, PATIENCE, answer
from tests.web.serving import served
from tests.web.test_accessibility import AT_REST, AUDIT, AXE, DESKTOP, MODES, PHONE, STATES

NUM_COLOURS = 256
"""Of a picture: its palette makes it a third as large."""
SPECIES = 4
"""The species of the guide, by its place in species.json, whose photos stand for those that somebody took."""
NUM_FRAMES = 6
"""Of a first visit."""
GAP = 8
"""Px between the pictures of a strip."""
OFFLINE = re.compile("|".join(json.loads(file.read_bytes())["offline.works"] for file in WEB.glob("languages/*.json")))
"""That the guide works without a network, in any language."""
NOTE_ANSWERS = "addEventListener('fieldguide:answer', ({ detail }) => { window.answered = detail; }, true)"

View = tuple[tuple[int, int], str, str]
"""Viewport, px; colour scheme; language."""
LIGHT: View = (DESKTOP, "light", "en")
DARK: View = (DESKTOP, "dark", "en")
ARABIC: View = (DESKTOP, "light", "ar")
SMALL: View = (PHONE, "light", "en")


def main() -> None:
    """Write the pictures and the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bundle", type=Path, default=Path("models/tfjs"), help="what export-tfjs wrote")
    parser.add_argument("--out", type=Path, default=Path("docs"))
    options = parser.parse_args()
    sheets = list(json.loads((options.bundle / "species.json").read_bytes()).values())
    photos = [options.bundle / photo["file"] for photo in sheets[SPECIES % len(sheets)]["photos"]]
    with (
        tempfile.TemporaryDirectory() as temporary,
        served(Path(temporary) / "site") as site,
        sync_playwright() as tool,
    ):
        site.publish(options.bundle, "guide")
        chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
        browser = tool.chromium.launch(executable_path=chromium, args=ARGS)
        studio = Studio(browser, site.address("guide"), photos)
        write_pictures(studio, options.out)
        draw_visit(studio, options.out / "page" / "first-visit.png")
        (options.out / "page" / "axe.md").write_text(audit_states(studio), encoding="utf-8")
        browser.close()
    files = [*options.out.glob("page*.png"), *(options.out / "page").glob("*.png")]
    print(f"{len(files)} pictures, {sum(file.stat().st_size for file in files) / 1e3:.0f} kB together")


class Studio:
    """A browser, the address of a guide, and photos for it."""

    def __init__(self, browser: Browser, address: str, photos: Sequence[Path]) -> None:
        self.photos, self.browser, self.address = photos, browser, address

    @contextmanager
    def opened(self, view: View) -> Iterator[Page]:
        """A page of its own, ready, in a view."""
        (width, height), scheme, language = view
        settings: dict[str, Any] = {"viewport": {"width": width, "height": height}, "color_scheme": scheme}
        context = self.browser.new_context(**settings, locale=language, timezone_id="UTC")
        context.add_init_script(NOTE_ANSWERS)
        page = context.new_page()
        page.goto(self.address)
        expect(page.locator("body[data-state=ready]")).to_be_visible(timeout=PATIENCE)
        expect(page.locator("#examples img").first).to_be_visible(timeout=PATIENCE)
        yield page
        context.close()

    def show(self, page: Page, number: int = 0) -> None:
        """An example of the guide, answered; its credit stands below it."""
        page.evaluate("window.answered = null")
        page.locator("#examples button").nth(number).click()
        page.wait_for_function("() => window.answered", timeout=PATIENCE)

    def give(self, page: Page, *others: int) -> None:
        """A photo that somebody took, answered, and then with `others` of the same subject."""
        for picker, photos in (("#pick", [0]), ("#more", others)):
            if photos:
                page.evaluate("window.answered = null")
                page.locator(picker).set_input_files([self.photos[number] for number in photos])
                page.wait_for_function("() => window.answered", timeout=PATIENCE)


def explain(page: Page) -> None:
    """Show what the guide looked at."""
    page.locator("#why-toggle").click()
    expect(page.locator("#heat")).to_be_visible(timeout=PATIENCE)


def keep(page: Page) -> None:
    """Keep the answer, and look into the notebook."""
    page.locator("#keep button").click()
    expect(page.locator("#keep [role=status]")).not_to_be_empty(timeout=PATIENCE)
    page.locator("#open-notebook").click()
    expect(page.locator("#finds > li").first).to_be_visible(timeout=PATIENCE)


def browse(page: Page) -> None:
    """The list of species."""
    page.locator("#browse").click()
    expect(page.locator("#species-list .row").first).to_be_visible(timeout=PATIENCE)


def open_sheet(page: Page) -> None:
    """The second species of the list."""
    browse(page)
    page.locator("#species-list .row").nth(1).click()
    expect(page.locator("#sheet-name")).to_be_visible()


def write_pictures(studio: Studio, out: Path) -> None:
    """All of them."""

    def take(view: View, *steps: Callable[[Page], None]) -> Image.Image:
        with studio.opened(view) as page:
            for step in steps:
                step(page)
            expect(page.locator("#offline")).to_have_text(OFFLINE, timeout=PATIENCE)
            page.mouse.move(0, 0)
            page.evaluate("document.activeElement?.blur(); scrollTo(0, 0)")
            page.wait_for_function("() => [...document.images].every((each) => each.complete)")
            page.wait_for_timeout(300)
            return Image.open(io.BytesIO(page.screenshot()))

    single = studio.show
    pictures = {
        "page.png": take(((1100, 1010), "light", "en"), single),
        "page/phone.png": take(SMALL, single),
        "page/dark.png": take(DARK, single),
        "page/right-to-left.png": take(ARABIC, single),
        "page/why.png": take(SMALL, studio.give, explain),
        "page/several.png": take(SMALL, lambda page: studio.give(page, 1, 2)),
        "page/notebook.png": take(LIGHT, studio.give, keep),
        "page/species.png": take(LIGHT, open_sheet),
    }
    arabic, german = ((PHONE, "light", "ar"), (PHONE, "dark", "de"))
    strip = [take(arabic, single), take(arabic, studio.give, keep), take(german, single)]
    strip += [take(german, browse), take(german, open_sheet)]
    pictures["page-phone.png"] = beside(strip)
    (out / "page").mkdir(parents=True, exist_ok=True)
    for name, picture in pictures.items():
        save_small(picture, out / name)


def draw_visit(studio: Studio, out: Path) -> None:
    """What a telephone shows from a cold start over fast 4G to an answer."""
    frames = film(studio.browser, studio.address, studio.photos[0], FAST)
    last = max(frame.seconds for frame in frames)
    draw_strip(frames, [last * (place + 1) / NUM_FRAMES for place in range(NUM_FRAMES)], out)
    with Image.open(out) as strip:
        strip.load()
    save_small(strip, out)


def save_small(picture: Image.Image, out: Path) -> None:
    """Write a picture with few colours."""
    # k-means brings back colours that are rare, as that of the word above a name.
    small = picture.convert("RGB").quantize(NUM_COLOURS, Image.Quantize.MEDIANCUT, 3, dither=Image.Dither.NONE)
    small.save(out, optimize=True)


def beside(pictures: Sequence[Image.Image]) -> Image.Image:
    """One picture of several, from the left to the right."""
    width = sum(each.width + GAP for each in pictures) - GAP
    strip = Image.new("RGB", (width, max(each.height for each in pictures)), "grey")
    left = 0
    for each in pictures:
        strip.paste(each, (left, 0))
        left += each.width + GAP
    return strip


def audit_states(studio: Studio) -> str:
    """A table of the violations that axe finds, as Markdown."""
    first = studio.photos[0]
    photo = {"name": first.name, "mimeType": "image/webp", "buffer": first.read_bytes()}
    states = {**STATES, "answered": lambda page: answer(page, photo)}
    lines = [f"| state | {' | '.join(MODES)} |", f"|---|{'---:|' * len(MODES)}"]
    told = []
    with studio.opened(LIGHT) as page:
        page.evaluate(AXE.read_text(encoding="utf-8"))
        for state, reach in states.items():
            reach(page)
            counts = []
            for mode, ((width, height), media) in MODES.items():
                page.set_viewport_size({"width": width, "height": height})
                page.emulate_media(**{**AT_REST, **media})
                found = page.evaluate(AUDIT)
                counts.append(str(len(found)))
                told += [f"- {state}, {mode}: `{' '.join(each.split())}`" for each in found]
            lines.append(f"| {state} | {' | '.join(counts)} |")
        version = page.evaluate("axe.version")
    heading = f"Violations that axe-core {version} finds, by state of the page and mode (`benchmarks.page_pictures`):"
    return "\n".join([heading, "", *lines, *(["", *told] if told else [])]) + "\n"


if __name__ == "__main__":
    main()
