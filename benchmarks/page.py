"""The page beside the same network in plain TensorFlow.js and in ONNX Runtime Web, interleaved in one browser.

    python -m benchmarks.page --photo PHOTO.jpg --rounds 5 --strip strip.png

First answers are from a cold cache over 4G with a processor four times slower than this one; a photo is chosen as soon
as the page can take it. The server compresses texts and WebAssembly, as hosts do (page_host.py). The peers do less: no
progress, no check of digests, a canvas instead of the training's resizing. The network alone in plain TensorFlow.js is
what the page's own is, kernel for kernel. npm installs the peers in a folder of their own (--scratch keeps it).
"""

import argparse
import shutil
import statistics
import sys
import tempfile
from collections import defaultdict
from pathlib import Path

from playwright.sync_api import sync_playwright

from benchmarks.page_sites import make_sites
from benchmarks.page_visits import FAST, SLOW, bare_answers, draw_strip, film, first_answer, later_visits, warm_answers
from tests.web.serving import served

NUM_ANSWERS = 20
"""Warm answers in a round."""
NUM_FRAMES = 8


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bundle", type=Path, default=Path("models/tfjs"), help="what export-tfjs wrote")
    parser.add_argument("--onnx", type=Path, default=Path("models/export/student.onnx"), help="the same network")
    parser.add_argument("--photo", type=Path, help="a JPEG; by default the first example of the bundle")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--strip", type=Path, help="write a film strip of the first visit over fast 4G to this PNG")
    parser.add_argument("--scratch", type=Path, help="where the peers' packages stay")
    options = parser.parse_args()
    photo = options.photo or min((options.bundle / "examples").glob("*.jpg"))
    with (
        tempfile.TemporaryDirectory() as temporary,
        served(Path(temporary) / "site", [sys.executable, "-m", "benchmarks.page_host"]) as site,
        sync_playwright() as tool,
    ):
        folders = make_sites(options.bundle, options.onnx, site.root, options.scratch or Path(temporary) / "peers")
        chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
        browser = tool.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        addresses = {name: site.address(name) for name in folders}
        found: dict[tuple[str, str], list[float]] = defaultdict(list)
        for _ in range(options.rounds):
            for name, address in addresses.items():
                for network in (FAST, SLOW):
                    seconds, megabytes = first_answer(browser, address, photo, network)
                    found[f"first answer, {network.name}, s", name].append(seconds)
                    found["came until the first answer, MB", name].append(megabytes)
                found["photo chosen to answer, warm, ms", name] += warm_answers(browser, address, photo, NUM_ANSWERS)
                if name != "ours":
                    found["network alone, warm, ms", name] += bare_answers(browser, address, NUM_ANSWERS)
            for visit, seconds in later_visits(browser, addresses["ours"], FAST).items():
                found[f"{visit} to ready, s", "ours"].append(seconds)
        print_table(found, list(folders))
        if options.strip:
            frames = film(browser, addresses["ours"], photo, FAST)
            last = max(frame.seconds for frame in frames)
            times = [last * (place + 1) / NUM_FRAMES for place in range(NUM_FRAMES)]
            draw_strip(frames, times, options.strip)
            print(f"{options.strip}: the page after", ", ".join(f"{time:.1f}" for time in times), "s")
        browser.close()


def print_table(found: dict[tuple[str, str], list[float]], names: list[str]) -> None:
    """Medians by measure and page, and the others' ratio to ours."""
    print("| median |", " | ".join(names), "|")
    print("|---|", "---:|" * len(names), sep="")
    for measure in dict.fromkeys(measure for measure, _ in found):
        ours = statistics.median(found[measure, "ours"]) if (measure, "ours") in found else None
        cells = [_cell(found.get((measure, name)), ours if name != "ours" else None) for name in names]
        print(f"| {measure} |", " | ".join(cells), "|")


def _cell(values: list[float] | None, ours: float | None) -> str:
    if not values:
        return "-"
    median = statistics.median(values)
    return f"{median:.2f}" + (f" ({median / ours:.2f} x)" if ours else "")


if __name__ == "__main__":
    main()
