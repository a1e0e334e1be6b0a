"""Visits to a page in Chromium over an emulated network and processor: when it is ready, and when it answers."""

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw
from playwright.sync_api import Browser, BrowserContext, CDPSession, Page

WARM_UP = 10
"""Answers that are not counted: the browser still compiles."""
PATIENCE = 300_000
"""Milliseconds for anything."""
SLOWDOWN = 4
"""Times slower than this machine: the processor of a telephone. It slows the page's own thread, no worker."""
NOTE_TIMES = """
addEventListener('fieldguide:answer', () => { window.answeredAt = performance.now(); }, true);
new MutationObserver(() => {
  if (document.body?.dataset.state === 'ready') window.readyAt ??= performance.now();
}).observe(document, { subtree: true, childList: true, attributes: true, attributeFilter: ['data-state'] });
"""
"""Milliseconds since the navigation began."""


@dataclass(frozen=True)
class Network:
    """What Chromium is told to emulate."""

    name: str
    latency: float
    """Milliseconds until an answer begins."""
    megabits: float
    """A second, down."""


FAST, SLOW = Network("fast 4G", 165, 8.1), Network("slow 4G", 562.5, 1.44)


@dataclass(frozen=True)
class Frame:
    """What was seen at a time."""

    seconds: float
    image: Image.Image


def open_page(context: BrowserContext, network: Network | None, slowdown: int = SLOWDOWN) -> tuple[Page, CDPSession]:
    """A blank page, and the session that throttles it."""
    page = context.new_page()
    page.add_init_script(NOTE_TIMES)
    session = context.new_cdp_session(page)
    session.send("Emulation.setCPUThrottlingRate", {"rate": slowdown})
    if network:
        session.send("Network.enable")
        rate = network.megabits * 1e6 / 8
        limits = {"latency": network.latency, "downloadThroughput": rate, "uploadThroughput": rate}
        session.send("Network.emulateNetworkConditions", {"offline": False, **limits})
    return page, session


def first_answer(browser: Browser, address: str, photo: Path, network: Network) -> tuple[float, float]:
    """From a cold start to the answer to a photo that is chosen as soon as that is possible: seconds, and megabytes."""
    context = browser.new_context()
    page, session = open_page(context, network)
    parts: list[float] = []
    session.on("Network.dataReceived", lambda event: parts.append(event["encodedDataLength"]))
    seconds = _answer_at_once(page, address, photo)
    num_bytes = sum(parts)
    context.close()
    return seconds, num_bytes / 1e6


def later_visits(browser: Browser, address: str, network: Network) -> dict[str, float]:
    """Seconds until the page is ready at a second visit, and at one without a network."""
    context = browser.new_context()
    page = context.new_page()
    page.goto(address)
    page.get_by_text("Works offline").wait_for(timeout=PATIENCE)
    page.close()
    second, _ = open_page(context, network)
    found = {"second visit": _ready(second, address)}
    second.close()
    context.set_offline(True)
    offline, _ = open_page(context, None)
    found["offline"] = _ready(offline, address)
    context.close()
    return found


def warm_answers(browser: Browser, address: str, photo: Path, count: int) -> list[float]:
    """Milliseconds from choosing a photo to its answer, of a page that has answered before, at this machine's speed."""
    context = browser.new_context()
    page, _ = open_page(context, None, slowdown=1)
    page.goto(address)
    page.wait_for_selector("body[data-state=ready]", timeout=PATIENCE)
    content = base64.b64encode(photo.read_bytes()).decode()
    times: list[float] = page.evaluate(ANSWER_REPEATEDLY, [content, photo.name, count + WARM_UP])
    context.close()
    return times[WARM_UP:]


ANSWER_REPEATEDLY = """async ([content, name, count]) => {
  const bytes = Uint8Array.from(atob(content), (letter) => letter.charCodeAt(0));
  const picker = document.getElementById('pick');
  const times = [];
  for (let i = 0; i < count; i++) {
    const answered = new Promise((resolve) => document.addEventListener('fieldguide:answer', resolve, { once: true }));
    const data = new DataTransfer();
    data.items.add(new File([bytes], name, { type: 'image/jpeg' }));
    const start = performance.now();
    picker.files = data.files;
    picker.dispatchEvent(new Event('change'));
    await answered;
    times.push(performance.now() - start);
  }
  return times;
}"""


def bare_answers(browser: Browser, address: str, count: int) -> list[float]:
    """Milliseconds of the network alone in a peer's page, warm, at this machine's speed."""
    context = browser.new_context()
    page, _ = open_page(context, None, slowdown=1)
    page.goto(address)
    page.wait_for_selector("body[data-state=ready]", timeout=PATIENCE)
    times: list[float] = page.evaluate("(count) => window.timeBare(count)", count + WARM_UP)
    context.close()
    return times[WARM_UP:]


def film(browser: Browser, address: str, photo: Path, network: Network) -> list[Frame]:
    """Everything that a telephone shows during `first_answer`, one frame a change."""
    context = browser.new_context(viewport={"width": 390, "height": 844})
    page, session = open_page(context, network)
    taken: list[tuple[float, bytes]] = []

    def take(event: dict[str, Any]) -> None:
        taken.append((event["metadata"]["timestamp"], base64.b64decode(event["data"])))
        session.send("Page.screencastFrameAck", {"sessionId": event["sessionId"]})

    session.on("Page.screencastFrame", take)
    session.send("Page.startScreencast", {"format": "png"})
    _answer_at_once(page, address, photo)
    page.wait_for_timeout(500)
    session.send("Page.stopScreencast")
    session.remove_listener("Page.screencastFrame", take)
    began = page.evaluate("performance.timeOrigin / 1000")
    context.close()
    return [Frame(at - began, Image.open(io.BytesIO(content))) for at, content in taken]


GAP, LINE = 8, 18
"""Px between pictures, and above them."""


def draw_strip(frames: Sequence[Frame], times: Sequence[float], out: Path, height: int = 420) -> None:
    """Write what was seen at each of `times`, seconds, side by side as a PNG."""
    shown = [max((frame for frame in frames if frame.seconds <= time), key=_seconds, default=None) for time in times]
    width = max(round(frame.image.width * height / frame.image.height) for frame in frames)
    strip = Image.new("RGB", (len(times) * (width + GAP), height + LINE), "white")
    draw = ImageDraw.Draw(strip)
    for place, (frame, time) in enumerate(zip(shown, times, strict=True)):
        left = place * (width + GAP)
        draw.text((left, 0), f"{time:.1f} s", fill="black", font_size=LINE - 4)
        if frame:
            strip.paste(frame.image.convert("RGB").resize((width, height)), (left, LINE))
    strip.save(out)


def _seconds(frame: Frame) -> float:
    return frame.seconds


def _answer_at_once(page: Page, address: str, photo: Path) -> float:
    page.goto(address, wait_until="commit", timeout=PATIENCE)
    page.locator("#pick").set_input_files(photo, timeout=PATIENCE)
    page.wait_for_function("() => window.answeredAt", timeout=PATIENCE)
    return float(page.evaluate("window.answeredAt")) / 1000


def _ready(page: Page, address: str) -> float:
    page.goto(address, timeout=PATIENCE)
    page.wait_for_function("() => window.readyAt", timeout=PATIENCE)
    return float(page.evaluate("window.readyAt")) / 1000
