"""How long the page's thread is busy at a stretch while a photo is answered: with the worker, and without one.

    python -m benchmarks.page_thread --bundle models/tfjs --rounds 5

Chromium, its main thread slowed down four times, warm, a photo of 12 megapixels. A task of more than 50 ms is what
people notice (the Long Tasks API reports those); both ways take turns in one run, and the last line is their ratio.
"""

import argparse
import shutil
import statistics
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image
from playwright.sync_api import Browser, sync_playwright

from tests.web.serving import served

SLOWER = 4
PATIENCE = 120_000
"""Milliseconds."""
WAYS = {"worker": "", "page's thread": "delete self.Worker"}

OBSERVE = """
window.tasks = [];
new PerformanceObserver((list) => tasks.push(...list.getEntries().map(({ duration }) => duration)))
  .observe({ type: 'longtask' });
addEventListener('fieldguide:answer', () => { window.answered = performance.now(); }, true);
"""


def draw_photo(path: Path) -> Path:
    """A JPEG of 4000 x 3000 px that takes as long to decode as a photograph."""
    rng = np.random.default_rng(1)
    small = Image.fromarray(rng.integers(0, 256, (300, 400, 3), dtype=np.uint8))
    small.resize((4000, 3000), Image.Resampling.BICUBIC).save(path, "JPEG", quality=90)
    return path


def answer_photo(browser: Browser, address: str, first: str, photo: Path) -> tuple[float, float, float]:
    """Milliseconds: the longest task, all tasks above 50 ms together, and from the photo to its answer."""
    context = browser.new_context(viewport={"width": 390, "height": 844})
    context.add_init_script(OBSERVE + first)
    page = context.new_page()

    def answer() -> float:
        start = page.evaluate("() => { window.answered = null; tasks.length = 0; return performance.now(); }")
        page.locator("#pick").set_input_files(photo)  # by its path: bytes would be unpacked by the page's thread
        page.wait_for_function("() => window.answered", timeout=PATIENCE)
        page.wait_for_timeout(300)  # until the observer has told
        return float(page.evaluate("answered")) - float(start)

    page.goto(address)
    page.wait_for_selector("body[data-state=ready]", timeout=PATIENCE)
    page.wait_for_function("() => document.getElementById('offline').textContent.includes('offline')", timeout=PATIENCE)
    answer()
    context.new_cdp_session(page).send("Emulation.setCPUThrottlingRate", {"rate": SLOWER})
    taken = answer()
    tasks = page.evaluate("tasks")
    context.close()
    return max(tasks, default=0.0), sum(tasks), taken


def main() -> None:
    """Run the benchmark as the command line says."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bundle", type=Path, default=Path("models/tfjs"))
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    found: dict[str, list[tuple[float, float, float]]] = {way: [] for way in WAYS}
    with tempfile.TemporaryDirectory() as scratch, served(Path(scratch) / "site") as site, sync_playwright() as run:
        photo = draw_photo(Path(scratch) / "photo.jpg")
        site.publish(options.bundle, "guide")
        browser = run.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for _ in range(options.rounds):
            for way, first in WAYS.items():
                found[way].append(answer_photo(browser, site.address("guide"), first, photo))
        browser.close()
    print("| medians | longest task, ms | tasks above 50 ms together, ms | photo to answer, ms |\n|---|---|---|---|")
    medians = {way: [statistics.median(each) for each in zip(*rows, strict=True)] for way, rows in found.items()}
    for way, figures in medians.items():
        print(f"| {way} | {' | '.join(f'{figure:.0f}' for figure in figures)} |")
    ratios = [one / other if other else float("nan") for one, other in zip(*medians.values(), strict=True)]
    print(f"| ratio | {' | '.join(f'{ratio:.2f}' for ratio in ratios)} |")


if __name__ == "__main__":
    main()
