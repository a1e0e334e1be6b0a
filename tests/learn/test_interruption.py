"""However a training is stopped, it ends with the same bits: one that got a signal repeats no step."""

import os
import random
import signal
import time
from pathlib import Path

import psutil
import pytest
from safetensors.torch import load_file

from fieldguide.learn.interruption import interruption_noted
from tests.learn.looping import same_files
from tests.learn.making import EVERYTHING, largest_difference
from tests.learn.real_processes import finish, has_started, start_training, steps_begun

STEPS = 18
"""Batches of the small network's three epochs."""
CHANGES = {**EVERYTHING, "workers": 2, "ema_decay": 0.8, "checkpoint_steps": 1}
"""All of a training that might be lost or repeated."""


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory, tfrecord: Path) -> tuple[Path, float]:
    """The output, and the seconds it took once PyTorch was imported."""
    out = tmp_path_factory.mktemp("undisturbed") / "out"
    process = start_training(out, tfrecord, **CHANGES)
    while not has_started(out) and process.is_alive():
        time.sleep(0.01)
    started = time.monotonic()
    assert finish(process) == [0]
    return out, time.monotonic() - started


def hold_equal(left: Path, right: Path) -> None:
    for file in ("model.safetensors", "last.safetensors"):
        assert largest_difference(load_file(left / file), load_file(right / file)) == 0.0
    assert same_files(left, right)


@pytest.mark.slow
@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)], ids=["SIGTERM", "SIGINT"])
def test_a_signal_amid_an_epoch_repeats_no_step(
    tfrecord: Path, tmp_path: Path, undisturbed: tuple[Path, float], number: int, code: int
):
    out = tmp_path / "out"
    changes = {**CHANGES, "checkpoint_steps": 1000}
    process = start_training(out, tfrecord, **changes)
    while steps_begun(out) < 8 and process.is_alive():
        time.sleep(0.001)
    assert process.pid
    os.kill(process.pid, number)
    assert finish(process) == [code]
    assert steps_begun(out) < STEPS
    assert finish(start_training(out, tfrecord, **changes)) == [0]
    assert steps_begun(out) == STEPS
    hold_equal(undisturbed[0], out)


@pytest.mark.slow
def test_a_signal_to_all_processes_of_a_training_is_noted_like_one_to_the_first(tfrecord: Path, tmp_path: Path):
    out = tmp_path / "out"
    changes = {**CHANGES, "checkpoint_steps": 1000}
    process = start_training(out, tfrecord, **changes)
    while steps_begun(out) < 8 and process.is_alive():
        time.sleep(0.001)
    assert process.pid
    for worker in psutil.Process(process.pid).children():
        worker.terminate()
    os.killpg(process.pid, signal.SIGTERM)
    assert finish(process) == [143]
    begun = steps_begun(out)
    assert begun < STEPS
    assert finish(start_training(out, tfrecord, **changes)) == [0]
    assert steps_begun(out) == STEPS


@pytest.mark.slow
def test_ten_kills_at_random_moments(tfrecord: Path, tmp_path: Path, undisturbed: tuple[Path, float]):
    expected, duration_s = undisturbed
    out = tmp_path / "out"
    moments = random.Random(time.time_ns())
    num_kills = 0
    while num_kills < 10:
        process = start_training(out, tfrecord, **CHANGES)
        process.join(moments.uniform(0.1, 0.9) * duration_s)
        if process.exitcode is None:
            process.kill()
            num_kills += 1
            finish(process)
        else:
            # It was done before the kill; the next one begins anew.
            assert process.exitcode == 0
            hold_equal(expected, out)
    assert finish(start_training(out, tfrecord, **CHANGES)) == [0]
    hold_equal(expected, out)


def test_a_second_signal_does_not_wait():
    # A process in the background would ignore it.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt), interruption_noted() as interruption:
            os.kill(os.getpid(), signal.SIGINT)
            assert interruption.number == signal.SIGINT
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(1)
    finally:
        signal.signal(signal.SIGINT, before)


def test_what_a_process_in_the_background_ignores_it_ignores_here_too():
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with interruption_noted() as interruption:
            os.kill(os.getpid(), signal.SIGINT)
            assert interruption.number == 0
    finally:
        signal.signal(signal.SIGINT, before)


def test_handlers_come_back():
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    with interruption_noted() as interruption:
        assert interruption.number == 0
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before


@pytest.mark.parametrize(("number", "ends"), [(signal.SIGINT, KeyboardInterrupt), (signal.SIGTERM, SystemExit)])
def test_the_end_is_that_of_the_signal(number: int, ends: type[BaseException]):
    with interruption_noted() as interruption:
        interruption.number = number
        with pytest.raises(ends) as caught:
            interruption.end()
    assert getattr(caught.value, "code", 143) == 143
