"""How far long work is: a bar on a terminal, a plain line now and then elsewhere."""

import logging
import sys
import threading
import time
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import TypeVar

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from fieldguide.process_group import is_first_process

log = logging.getLogger(__name__)

Item = TypeVar("Item")

FIRST_LOG_S = 10.0
"""Until the first line of a piece of work; each further one comes after twice the time, so that hours give few."""
MOST_LOG_S = 300.0
DRAW_EVERY_S = 0.5


@dataclass(frozen=True)
class Watch:
    """Looks at work while tasks are under way, where a task is too long to be a step of progress."""

    total: int
    count: Callable[[], int]
    """How many of `total` are done."""
    describe: Callable[[], str] = str
    """What else there is to tell, asked after `count`."""
    unit: str = "photos"
    """What is counted."""


def show_progress(
    items: Iterable[Item], total: int, label: str, watch: Watch | None = None, unit: str = "shards"
) -> Generator[Item, None, None]:
    """Yield `items` unchanged and show how many of `total` are taken, in units called `unit`, under `label`.

    Or show what `watch` says, which is then asked every so often.
    """
    taken = 0
    with progress_shown(watch or Watch(total, lambda: taken, unit=unit), label, asks=watch is not None) as report:
        for item in items:
            yield item
            taken += 1
            if not watch:
                report()


@contextmanager
def progress_shown(watch: Watch, label: str, *, asks: bool = False) -> Iterator[Callable[[], None]]:
    """Show what `watch` says under `label`; yields the function that shows it anew, which a thread calls if `asks`."""
    is_drawn = sys.stderr.isatty() and is_first_process()
    with (
        _drawing(watch, label) if is_drawn else _logging(watch, label) as report,
        _repeating(report, DRAW_EVERY_S if is_drawn else FIRST_LOG_S) if asks else nullcontext(),
    ):
        yield report


class _Pace:
    """How fast work goes, from where it stood at first: a resumed one did not do all of it now."""

    def __init__(self, watch: Watch) -> None:
        self._started, self._first = time.monotonic(), watch.count()

    def per_s(self, done: int) -> float:
        return (done - self._first) / max(time.monotonic() - self._started, 1e-9)


@contextmanager
def _drawing(watch: Watch, label: str) -> Iterator[Callable[[], None]]:
    counts = TextColumn("{task.completed:,.0f} of {task.total:,.0f} {task.fields[unit]}{task.fields[rate]}")
    columns = (TextColumn("{task.description}"), BarColumn(), counts, TimeRemainingColumn())
    pace = _Pace(watch)
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(label, total=watch.total, completed=watch.count(), unit=watch.unit, rate="")

        def report() -> None:
            done = watch.count()
            rate = f", {pace.per_s(done):.1f}/s"
            progress.update(task, completed=done, rate=rate, description=f"{label} {watch.describe()}".rstrip())

        yield report


@contextmanager
def _logging(watch: Watch, label: str) -> Iterator[Callable[[], None]]:
    pace, logged, wait = _Pace(watch), time.monotonic(), FIRST_LOG_S

    def report() -> None:
        nonlocal logged, wait
        if time.monotonic() - logged <= wait:
            return
        done = watch.count()
        rate = pace.per_s(done)
        if rate > 0 and done < watch.total:
            logged, wait = time.monotonic(), min(2 * wait, MOST_LOG_S)
            words = "; ".join(filter(None, (f"{_duration((watch.total - done) / rate)} left", watch.describe())))
            log.info("%s: %s of %s %s, %.1f/s, %s", label, f"{done:,}", f"{watch.total:,}", watch.unit, rate, words)

    yield report


def _duration(seconds: float) -> str:
    """`45 s`, `12 min`, `3.5 h`."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 6000 else f"{seconds / 3600:.1f} h"


@contextmanager
def _repeating(act: Callable[[], None], every_s: float) -> Iterator[None]:
    """Call `act` every so many seconds, in a thread."""
    over = threading.Event()

    def repeat() -> None:
        while not over.wait(every_s):
            act()

    thread = threading.Thread(target=repeat, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
