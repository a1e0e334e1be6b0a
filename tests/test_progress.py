"""Progress is a bar on a terminal and a plain line now and then elsewhere, and says its unit."""

import io
import logging
import re
import time
from collections.abc import Callable

from fieldguide import progress
from fieldguide.progress import Watch, progress_shown, show_progress


def risen_to(done: int) -> Callable[[], int]:
    """A count that is 0 when it is first asked for."""
    at_first = iter([0])
    return lambda: next(at_first, done)


def test_progress_is_log_lines_where_there_is_no_terminal(monkeypatch, caplog):
    monkeypatch.setattr(progress, "FIRST_LOG_S", -1)
    caplog.set_level(logging.INFO)
    assert list(show_progress("abc", 3, "spelling", unit="letters")) == ["a", "b", "c"]
    assert [message.split(",")[0] for message in caplog.messages] == [
        "spelling: 1 of 3 letters",
        "spelling: 2 of 3 letters",
    ]


def test_a_long_task_is_watched_while_it_is_under_way(monkeypatch, caplog):
    monkeypatch.setattr(progress, "FIRST_LOG_S", 0.01)
    caplog.set_level(logging.INFO)
    letters = Watch(total=9, count=risen_to(3), describe=lambda: "of which c 1", unit="letters")
    for _ in show_progress(["abc"], 1, "spelling", letters):
        while not caplog.messages:
            time.sleep(0.01)
    assert caplog.messages[0].startswith("spelling: 3 of 9 letters, ")
    assert caplog.messages[0].endswith("; of which c 1")


def test_lines_become_rare(monkeypatch, caplog):
    monkeypatch.setattr(progress, "FIRST_LOG_S", 10)
    caplog.set_level(logging.INFO)
    clock = [0.0]
    monkeypatch.setattr("time.monotonic", lambda: clock[0])
    for _ in show_progress(range(7200), 7200, "waiting", unit="seconds"):
        clock[0] += 1
    assert [int(re.findall(r"[\d,]+", message)[0].replace(",", "")) for message in caplog.messages[:5]] == [
        11,
        32,
        73,
        154,
        315,
    ]
    assert caplog.messages[0] == "waiting: 11 of 7,200 seconds, 1.0/s, 2.0 h left"
    assert caplog.messages[7] == "waiting: 1,218 of 7,200 seconds, 1.0/s, 100 min left"
    assert len(caplog.messages) < 30


def test_what_was_done_before_counts_but_not_for_the_rate(monkeypatch, caplog):
    monkeypatch.setattr(progress, "FIRST_LOG_S", -1)
    caplog.set_level(logging.INFO)
    clock = iter(range(100))
    monkeypatch.setattr("time.monotonic", lambda: next(clock))
    counts = iter([90, 91])
    with progress_shown(Watch(100, lambda: next(counts)), "resumed") as report:
        report()
    assert caplog.messages[0].startswith("resumed: 91 of 100 photos, 0.")


def test_progress_is_a_bar_on_a_terminal(monkeypatch):
    terminal = io.StringIO()
    terminal.isatty = lambda: True
    monkeypatch.setattr("sys.stderr", terminal)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(progress, "DRAW_EVERY_S", 0.01)

    def drawn() -> str:
        return re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", terminal.getvalue())

    assert list(show_progress("abc", 3, "spelling", unit="letters")) == ["a", "b", "c"]
    assert "3 of 3 letters" in drawn()
    for _ in show_progress(["abc"], 1, "spelling", Watch(9, risen_to(4), lambda: "slowly")):
        while "spelling slowly" not in drawn():
            time.sleep(0.01)
    assert re.search(r"4 of 9 photos, \d+\.\d/s", drawn())
