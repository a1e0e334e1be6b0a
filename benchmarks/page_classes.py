"""How a guide behaves as its species grow: opened, browsed, searched and asked, in Chromium, sizes taking turns.

    python -m benchmarks.page_classes --classes 100 1000 10000 --rounds 3

Each bundle is made by the project's own export from a network of random weights (page_classes_guide.py); --scratch
keeps them for another run. The server compresses texts, as hosts do (page_host.py). `phone` is fast 4G and a processor
four times slower, `here` this machine without a network in between. Tasks of the page's thread are those that the Long
Tasks API reports, which are longer than 50 ms; 0 where there is none.
"""

import argparse
import json
import shutil
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from benchmarks.fetch import ROOT, measure_process
from benchmarks.page_classes_guide import make_inputs
from benchmarks.page_visits import FAST, PATIENCE, SLOWDOWN, Network, open_page
from tests.web.serving import served

ARMS: dict[str, tuple[Network | None, int]] = {"here": (None, 1), "phone": (FAST, SLOWDOWN)}
WORDS = ("al", "common w")
"""Typed into the search letter by letter, as the first and as a second search."""
PAUSE = 400
"""Milliseconds between key presses, in which the observers tell what they saw."""

BROWSABLE = """
new MutationObserver(() => {
  if (document.getElementById('browse')?.hidden === false) window.browsableAt ??= performance.now();
}).observe(document, { subtree: true, childList: true, attributes: true, attributeFilter: ['hidden'] });
"""
WATCH = """
window.tasks = [];
new PerformanceObserver((list) => tasks.push(...list.getEntries().map(({ duration }) => duration)))
  .observe({ type: 'longtask' });
// From an event to the frame that shows what came of it.
window.shown = (from) => new Promise((resolve) => requestAnimationFrame(() => {
  const { port1, port2 } = new MessageChannel();
  port1.onmessage = () => resolve(performance.now() - from);
  port2.postMessage(null);
}));
window.keys = [];
addEventListener('input', ({ timeStamp }) => shown(timeStamp).then((taken) => keys.push(taken)), true);
"""
OPEN_LIST = """async () => {
  const start = performance.now();
  document.getElementById('browse').click();
  while (!document.querySelector('#species-list .row')) await new Promise((resolve) => setTimeout(resolve));
  return shown(start);
}"""

Found = dict[tuple[str, int], list[float]]
"""By measure and number of species."""


def main() -> None:
    """Print a table of medians."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--classes", type=int, nargs="+", default=[100, 1000, 10_000], help="species of each guide")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--scratch", type=Path, help="where the bundles stay")
    options = parser.parse_args()
    found: Found = defaultdict(list)
    with (
        tempfile.TemporaryDirectory() as temporary,
        served(Path(temporary) / "site", [sys.executable, "-m", "benchmarks.page_host"]) as site,
        sync_playwright() as tool,
    ):
        for count in options.classes:
            folder = (options.scratch or Path(temporary)) / str(count)
            for measure, value in export_guide(folder, count).items():
                found[measure, count].append(value)
            site.publish(folder / "bundle", str(count))
        chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
        browser = tool.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for number in range(options.rounds):
            for count in options.classes:
                photo = min((site.root / str(count) / "examples").glob("*.jpg"))
                for measure, value in visit(browser, site.address(str(count)), photo).items():
                    found[measure, count].append(value)
                print(f"round {number + 1}, {count:,} species", file=sys.stderr, flush=True)
        browser.close()
    print_table(found, options.classes)


def export_guide(folder: Path, num_species: int) -> dict[str, float]:
    """Make the bundle of that many species, unless it is there; seconds and memory of its export, and sizes."""
    told = folder / "export.json"
    if not told.is_file():
        shutil.rmtree(folder, ignore_errors=True)
        make_inputs(folder, num_species)
        command = [sys.executable, "-W", "ignore", "-m", "benchmarks.page_classes_guide", str(folder)]
        seconds, peak = measure_process(command, ROOT)
        told.write_text(json.dumps({"export, s": seconds, "export, peak MB": peak}))
    sizes = {"bundle, MB": "**/*", "its weights, MB": "group*", "labels.json, MB": "labels.json"}
    sizes |= {"species.json, MB": "species.json", "reference photos, MB": "species/*", "prior, MB": "prior*"}
    megabytes = {
        name: sum(file.stat().st_size for file in (folder / "bundle").glob(pattern) if file.is_file()) / 1e6
        for name, pattern in sizes.items()
    }
    return {**json.loads(told.read_text()), **megabytes}


def visit(browser: Browser, address: str, photo: Path) -> dict[str, float]:
    """All that is measured of one guide in one round."""
    found: dict[str, float] = {}
    for arm, (network, slowdown) in ARMS.items():
        seconds = open_cold(browser, address, network, slowdown)
        found |= {f"{moment}, {arm}{unit}": value for (moment, unit), value in seconds.items()}
        (answered,) = open_cold(browser, address, network, slowdown, photo).values()
        found[f"to a first answer, {arm}, s"] = answered
    for arm, (_, slowdown) in ARMS.items():
        found |= {f"{measure}, {arm}": value for measure, value in use(browser, address, photo, slowdown).items()}
    return found


def open_cold(
    browser: Browser, address: str, network: Network | None, slowdown: int, photo: Path | None = None
) -> dict[tuple[str, str], float]:
    """Seconds from a cold start until species can be browsed and the page is ready, with the megabytes that came until
    then; of a visit with a photo, until it is answered. By what it is and its unit."""
    context = browser.new_context()
    context.add_init_script(BROWSABLE)
    page, session = open_page(context, network, slowdown)
    session.send("Network.enable")
    parts: list[float] = []
    session.on("Network.dataReceived", lambda event: parts.append(event["encodedDataLength"]))
    page.goto(address, wait_until="commit", timeout=PATIENCE)
    if photo:
        page.locator("#pick").set_input_files(photo, timeout=PATIENCE)
    ends = {"to a first answer": "answeredAt"} if photo else {"to the species": "browsableAt", "to ready": "readyAt"}
    page.wait_for_function(f"() => window.{list(ends.values())[-1]}", timeout=PATIENCE)
    found = {(name, ", s"): float(page.evaluate(f"window.{moment} / 1000")) for name, moment in ends.items()}
    if not photo:
        found["came until ready", ", MB"] = sum(parts) / 1e6
    context.close()
    return found


def use(browser: Browser, address: str, photo: Path, slowdown: int) -> dict[str, float]:
    """A guide that works offline is browsed and searched, and asked on another page: milliseconds, and megabytes."""
    context = browser.new_context(viewport={"width": 390, "height": 844})
    context.add_init_script(WATCH)
    page, session = open_page(context, None, 1)
    page.goto(address)
    page.get_by_text("Works offline").wait_for(timeout=PATIENCE)
    session.send("Emulation.setCPUThrottlingRate", {"rate": slowdown})
    found = browse(page)
    page.close()
    page, session = open_page(context, None, 1)
    page.goto(address)
    page.wait_for_function("() => window.readyAt", timeout=PATIENCE)
    session.send("Emulation.setCPUThrottlingRate", {"rate": slowdown})
    found |= ask(page, photo)
    session.send("HeapProfiler.collectGarbage")
    session.send("Performance.enable")
    metrics = {each["name"]: each["value"] for each in session.send("Performance.getMetrics")["metrics"]}
    context.close()
    return {**found, "heap of the page after that, MB": metrics["JSHeapUsedSize"] / 1e6}


def browse(page: Page) -> dict[str, float]:
    """Open the list of species and search it."""
    found = {"opening the species, ms": float(page.evaluate(OPEN_LIST)), "its longest task, ms": longest_task(page)}
    pressed = []
    for word in WORDS:
        page.locator("#search").fill("")
        longest_task(page)
        pressed += [press(page, letter) for letter in word]
    (first, _), *later = pressed
    found |= {"first key to list, ms": first, "later keys to list, ms": statistics.median(taken for taken, _ in later)}
    return {**found, "longest task of typing, ms": max(task for _, task in pressed)}


def press(page: Page, letter: str) -> tuple[float, float]:
    """Milliseconds from a press of a key to the list that shows what it means, and of the longest task meanwhile."""
    num_known = page.evaluate("keys.length")
    page.locator("#search").press("Space" if letter == " " else letter)
    page.wait_for_function("(known) => keys.length > known", arg=num_known, timeout=PATIENCE)
    return float(page.evaluate("keys.at(-1)")), longest_task(page)


def ask(page: Page, photo: Path) -> dict[str, float]:
    """Have a page answer a photo for the first time, and again."""
    taken, tasks = [], []
    longest_task(page)
    for _ in range(3):
        start = page.evaluate("() => { window.answeredAt = null; return performance.now(); }")
        page.locator("#pick").set_input_files(photo)
        page.wait_for_function("() => window.answeredAt", timeout=PATIENCE)
        taken.append(float(page.evaluate("window.answeredAt")) - float(start))
        tasks.append(longest_task(page))
    first = {"first photo to answer, ms": taken[0], "longest task of the first answer, ms": tasks[0]}
    return {**first, "later photo to answer, ms": min(taken), "longest task of a later answer, ms": min(tasks)}


def longest_task(page: Page) -> float:
    """Milliseconds of the longest task since this was asked last."""
    page.wait_for_timeout(PAUSE)
    return float(page.evaluate("() => Math.max(0, ...tasks.splice(0))"))


def print_table(found: Found, sizes: list[int]) -> None:
    """Medians by measure and number of species."""
    print(f"| median, {time.strftime('%Y-%m-%d')} |", " | ".join(f"{count:,} species" for count in sizes), "|")
    print("|---|", "---:|" * len(sizes), sep="")
    for measure in dict.fromkeys(measure for measure, _ in found):
        medians = [statistics.median(found[measure, count]) for count in sizes]
        print(f"| {measure} |", " | ".join(f"{value:.2f}" if value < 20 else f"{value:,.0f}" for value in medians), "|")


if __name__ == "__main__":
    main()
