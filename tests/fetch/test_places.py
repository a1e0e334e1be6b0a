"""Two sets of places on one path stand for two processes here: locks belong to open files, not to processes."""

import asyncio
import time
from pathlib import Path

import pytest

from fieldguide.fetch import places
from fieldguide.fetch.places import LONGEST_PAUSE_S, Pace, Places


def test_no_more_places_are_taken_than_there_are(tmp_path: Path) -> None:
    taken = most = 0

    async def take(of: Places) -> None:
        nonlocal taken, most
        async with of.taken():
            taken += 1
            most = max(most, taken)
            await asyncio.sleep(0.01)
            taken -= 1

    async def run() -> None:
        processes = [Places(tmp_path / "host", 3) for _ in range(4)]
        await asyncio.gather(*(take(process) for process in processes for _ in range(5)))

    asyncio.run(run())
    assert most == 3


def test_one_process_alone_gets_all_places(tmp_path: Path) -> None:
    async def run() -> None:
        first, second = (Places(tmp_path / "host", 2) for _ in range(2))
        async with first.taken(), first.taken():
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.05), second.taken():
                    pass
        async with second.taken(), second.taken():
            pass

    asyncio.run(run())


def test_one_who_waits_no_longer_holds_nothing_up(tmp_path: Path) -> None:
    async def run() -> None:
        host = Places(tmp_path / "host", 1)
        async with host.taken():
            waiting = [asyncio.create_task(anext(aiter_of(host))) for _ in range(3)]
            await asyncio.sleep(0.02)
            for task in waiting:
                task.cancel()
            await asyncio.gather(*waiting, return_exceptions=True)
        async with asyncio.timeout(1), host.taken():
            pass

    async def aiter_of(host: Places):
        async with host.taken():
            yield

    asyncio.run(run())


def test_the_pace_is_that_of_all(tmp_path: Path) -> None:
    one, other = Pace(tmp_path / "host"), Pace(tmp_path / "host")
    assert one.wait_s(0) == 0
    assert one.wait_s(10) == 0
    assert 9 < other.wait_s(10) <= 10
    assert 9 < other.wait_s(0) <= 10


def test_a_pause_is_for_all_and_not_for_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one, other = Pace(tmp_path / "host"), Pace(tmp_path / "host")
    one.pause(5)
    one.pause(1)
    assert 4 < other.wait_s(0) <= 5
    one.pause(1e9)
    assert LONGEST_PAUSE_S - 1 < other.wait_s(0) <= LONGEST_PAUSE_S
    # Of a clock that was set back, as of a run of long ago.
    now = time.time()
    monkeypatch.setattr(places.time, "time", lambda: now - 10_000)
    assert other.wait_s(0) == 0
