"""Batches, the workers that prepare them, and what becomes of them in the network's process.

However a loop over batches ends, no process and no piece of shared memory is left behind.
"""

import io
import multiprocessing
import os
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import psutil
import pytest
from PIL import Image
from torch import Tensor

from fieldguide.errors import RecordError
from fieldguide.records.order import Key
from fieldguide.records.skim import Photo
from fieldguide.records.torch.drawing import draw_photos
from fieldguide.records.torch.loading import AHEAD, load_batches


class Greys:
    """A source of grey batches of 8 px, as grey as the record's index; `at` comes before each batch."""

    split = "train"
    image_size = 8

    def __init__(self, at: Callable[[int], Any] = lambda index: None) -> None:
        self._at = at

    def __len__(self) -> int:
        return 256

    def read_photo(self, index: int) -> Photo:
        self._at(index)
        return Photo(f"photo{index}", b"P6 8 8 255 " if index == 255 else PNGS[index])

    def load(self, keys: Sequence[Key]) -> tuple[Tensor, list[Key]]:
        return draw_photos(self, keys, self.image_size, None, 0), list(keys)


def make_png(grey: int) -> bytes:
    stream = io.BytesIO()
    Image.new("RGB", (8, 8), (grey, grey, grey)).save(stream, "PNG")
    return stream.getvalue()


PNGS = [make_png(grey) for grey in range(256)]
KEYS = [[(0, index), (0, index + 1)] for index in range(24)]


@pytest.fixture(autouse=True)
def nothing_stays() -> Iterator[None]:
    def look() -> tuple[set[int], set[str]]:
        return {child.pid for child in psutil.Process().children()}, {file.name for file in Path("/dev/shm").iterdir()}

    before = look()
    yield
    deadline = time.monotonic() + 20
    while not look()[0] <= before[0] and time.monotonic() < deadline:
        time.sleep(0.05)
    assert look()[0] <= before[0]
    mine = f"torch_{os.getpid()}_"
    assert not {name for name in look()[1] - before[1] if name.startswith(mine)}


@pytest.mark.parametrize("workers", [0, 1, 2])
def test_batches_that_are_kept_stay_as_they_are(workers: int):
    kept = list(load_batches(Greys(), KEYS, workers))
    assert [keys for _, keys in kept] == KEYS
    for number, (images, _) in enumerate(kept):
        assert images.shape == (2, 3, 8, 8)
        assert images.amin((1, 2, 3)).tolist() == images.amax((1, 2, 3)).tolist() == [number, number + 1]


def test_the_memory_of_batches_that_are_not_is_used_again():
    places = [images.data_ptr() for images, _ in load_batches(Greys(), KEYS, 2)]
    assert len(places) == len(KEYS)
    assert len(set(places)) <= 2 * AHEAD + 2


def test_a_batch_larger_than_the_first_comes_as_well():
    keys = [KEYS[0], KEYS[1] + KEYS[2], [], KEYS[3]]
    shapes = [len(images) for images, _ in load_batches(Greys(), keys, 1)]
    assert shapes == [2, 4, 0, 2]


@pytest.mark.parametrize("workers", [0, 2])
def test_no_keys_are_no_batches(workers: int):
    assert list(load_batches(Greys(), [], workers)) == []


@pytest.mark.parametrize("workers", [0, 2])
def test_a_photo_that_cannot_be_decoded_is_named(workers: int):
    batches = load_batches(Greys(), [*KEYS[:3], [(0, 255)]], workers)
    with pytest.raises(RecordError, match=r"^photo photo255 of split train: cannot identify image file") as caught:
        list(batches)
    assert "Traceback" not in str(caught.value)


def test_a_worker_that_is_killed_is_one_line():
    def die(index: int) -> None:
        if index == 9:
            os.kill(os.getpid(), signal.SIGKILL)

    before = signal.getsignal(signal.SIGCHLD)
    gone = r"one of 2 workers .* is gone \(process \d+, exit code -9\); where memory ran out, take fewer workers"
    with pytest.raises(RecordError, match=gone):
        list(load_batches(Greys(die), KEYS, 2))
    # Nobody is told of it a second time, in the midst of something else.
    assert signal.getsignal(signal.SIGCHLD) == before


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_to_a_worker_is_for_its_parent_to_heed(number: int):
    told = list(load_batches(Greys(lambda index: os.kill(os.getpid(), number)), KEYS, 2))
    assert len(told) == len(KEYS)


def test_a_worker_that_will_not_end_is_ended():
    stuck = multiprocessing.get_context("fork").Event()

    def stay(index: int) -> None:
        if index == KEYS[2][0][1]:
            stuck.set()
            time.sleep(3600)

    batches = load_batches(Greys(stay), KEYS, 2)
    next(batches)
    assert stuck.wait(60)
    batches.close()


def test_a_loop_may_end_early():
    for number, _ in enumerate(load_batches(Greys(), KEYS, 2)):
        if number == 3:
            break
    batches = load_batches(Greys(), KEYS, 2)
    images, _ = next(batches)
    batches.close()
    assert images.amax().item() == 1


def test_an_interrupt_while_a_batch_is_awaited():
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, 0.3)
    try:
        with pytest.raises(KeyboardInterrupt):
            list(load_batches(Greys(lambda index: time.sleep(1)), KEYS, 2))
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
