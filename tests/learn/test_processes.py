"""Two processes that train together do what one does with the whole batch; the first one alone writes."""

import csv
import socket
import time
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any

import pytest

from fieldguide.learn.checkpoint import FOLDER
from fieldguide.process_group import ProcessGroup
from tests.learn.looping import same_files
from tests.learn.real_processes import finish, start_training, steps_begun

WITHOUT_BATCHNORM = {
    "architecture": "vit_tiny_patch16_224",
    "architecture_args": {"img_size": 32, "patch_size": 8, "embed_dim": 32, "depth": 2, "num_heads": 2},
    "precision": "32-true",
    "workers": 1,
}
"""On CPUs BatchNorm sees a process's own part of the batch, so that a network with it would learn something else."""


def start_two(out: Path, tfrecord: Path, **changes: Any) -> list[ForkServerProcess]:
    """As torchrun starts them."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        meeting = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(probe.getsockname()[1])}
    return [
        start_training(out, tfrecord, meeting | ProcessGroup(number, 2, number, 2).variables(), **changes)
        for number in range(2)
    ]


def curves(out: Path) -> list[dict[str, float]]:
    with (out / "history.csv").open() as stream:
        return [{name: float(value) for name, value in row.items()} for row in csv.DictReader(stream)]


@pytest.fixture(scope="module")
def together(tmp_path_factory: pytest.TempPathFactory, tfrecord: Path) -> Path:
    """What two processes made."""
    out = tmp_path_factory.mktemp("together") / "out"
    assert finish(*start_two(out, tfrecord, **WITHOUT_BATCHNORM)) == [0, 0]
    return out


@pytest.mark.slow
def test_the_curves_are_those_of_one_process(together: Path, tfrecord: Path, tmp_path: Path):
    alone = tmp_path / "out"
    assert finish(start_training(alone, tfrecord, **WITHOUT_BATCHNORM)) == [0]
    assert len(curves(alone)) == 3
    for one, two in zip(curves(alone), curves(together), strict=True):
        assert two == pytest.approx(one, abs=1e-5)
    assert {path.name for path in together.iterdir()} == {path.name for path in alone.iterdir()}
    assert list((together.parent / FOLDER).iterdir()) == []


@pytest.mark.slow
def test_a_signal_to_either_stops_both_and_two_go_on_exactly(together: Path, tfrecord: Path, tmp_path: Path):
    out = tmp_path / "out"
    changes = {**WITHOUT_BATCHNORM, "checkpoint_steps": 1000}
    for number in range(2):
        processes = start_two(out, tfrecord, **changes)
        begun = steps_begun(out)
        while steps_begun(out) < begun + 8 and processes[0].is_alive():
            time.sleep(0.001)
        processes[number].terminate()
        assert finish(*processes) == [143, 143]
    assert finish(*start_two(out, tfrecord, **changes)) == [0, 0]
    # Both count theirs: none was repeated.
    assert steps_begun(out) == 2 * 18
    assert same_files(together, out)


@pytest.mark.slow
def test_what_two_began_one_goes_on_with_if_asked(tfrecord: Path, tmp_path: Path):
    out = tmp_path / "out"
    changes = {**WITHOUT_BATCHNORM, "checkpoint_steps": 1}
    processes = start_two(out, tfrecord, **changes)
    while steps_begun(out) < 16 and processes[0].is_alive():
        time.sleep(0.001)
    for process in processes:
        process.kill()
    finish(*processes)
    begun = steps_begun(out)
    assert finish(start_training(out, tfrecord, **changes, resume="compatible")) == [0]
    assert steps_begun(out) - begun < 18
    assert len(curves(out)) == 3


@pytest.mark.slow
@pytest.mark.parametrize("killed", [0, 1])
def test_one_that_dies_takes_the_other_with_it(tfrecord: Path, tmp_path: Path, killed: int):
    out = tmp_path / "out"
    processes = start_two(out, tfrecord, **WITHOUT_BATCHNORM, epochs=1000)
    while steps_begun(out) < 4 and processes[0].is_alive():
        time.sleep(0.001)
    processes[killed].kill()
    codes = finish(*processes)
    assert codes[killed] == -9
    assert codes[1 - killed] == 1


@pytest.mark.slow
def test_a_run_in_use_ends_all_with_the_same_code(tfrecord: Path, tmp_path: Path):
    out = tmp_path / "out"
    holder = start_training(out, tfrecord, **WITHOUT_BATCHNORM, epochs=1000)
    while steps_begun(out) < 1 and holder.is_alive():
        time.sleep(0.001)
    assert finish(*start_two(out, tfrecord, **WITHOUT_BATCHNORM, epochs=1000)) == [1, 1]
    holder.kill()
    finish(holder)
    assert list((out.parent / FOLDER).iterdir())
