"""What a killed run leaves is taken up by the very same run, and by no other."""

import logging
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from fieldguide.errors import TrainingError
from fieldguide.learn.checkpoint import FOLDER, KEEP_DAYS, RunFolder, open_run_folder
from fieldguide.learn.device import alone_on_device

FABRIC = alone_on_device("32-true")
RUN = {"params": "a"}


@pytest.fixture(autouse=True)
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An experiment's workspace as working directory; the main repository, where folders go, is another one."""
    (tmp_path / "workspace").mkdir()
    (tmp_path / "main").mkdir()
    monkeypatch.chdir(tmp_path / "workspace")
    monkeypatch.setenv("DVC_ROOT", str(tmp_path / "main"))
    return tmp_path / "main"


class KilledError(Exception):
    pass


def leave_behind(run: dict[str, str] = RUN, step: int = 7) -> Path:
    """The folder of a run that was killed after a checkpoint."""
    with pytest.raises(KilledError), open_run_folder("train", run, FABRIC) as folder:
        folder.save(FABRIC, {"epoch": 3, "step": step})
        raise KilledError
    return folder.path


def test_state_comes_back_as_it_was(repository: Path):
    module = torch.nn.Linear(3, 2)
    with pytest.raises(KilledError), open_run_folder("train", RUN, FABRIC) as folder:
        assert folder.load(FABRIC) is None
        folder.save(FABRIC, {"epoch": 1})
        folder.save(FABRIC, {"module": module, "epoch": 3, "history": [{"lr": 0.1}], "best": (0.5, -1.0)})
        raise KilledError
    assert len(list(folder.path.glob("*.ckpt"))) == 1
    with open_run_folder("train", RUN, FABRIC) as again:
        state = again.load(FABRIC)
    assert state is not None
    assert torch.equal(state["module"]["weight"], module.weight)
    assert (state["epoch"], state["history"], state["best"]) == (3, [{"lr": 0.1}], (0.5, -1.0))
    assert list((repository / FOLDER).iterdir()) == []


def test_a_kill_between_writing_and_naming_does_no_harm():
    path = leave_behind()
    (path / "new.ckpt").write_bytes(b"whole, but without its name")
    with pytest.raises(KilledError), open_run_folder("train", RUN, FABRIC) as folder:
        assert folder.load(FABRIC) == {"epoch": 3, "step": 7}
        folder.save(FABRIC, {"epoch": 4})
        raise KilledError
    assert len(list(path.glob("*.ckpt"))) == 1


@pytest.mark.parametrize(("stage", "run"), [("train", {"params": "b"}), ("train", {}), ("embed", RUN)])
def test_another_run_finds_nothing(stage: str, run: dict[str, str]):
    leave_behind()
    with open_run_folder(stage, run, FABRIC) as folder:
        assert folder.load(FABRIC) is None


@pytest.mark.parametrize("damaged", [lambda content: content[:-1], lambda _: b"", lambda content: b"x" + content[1:]])
def test_a_damaged_checkpoint_is_set_aside(caplog: pytest.LogCaptureFixture, damaged: Callable[[bytes], bytes]):
    (file,) = leave_behind().glob("*.ckpt")
    file.write_bytes(damaged(file.read_bytes()))
    with open_run_folder("train", RUN, FABRIC) as folder:
        assert folder.load(FABRIC) is None
        assert [path.suffix for path in folder.path.glob("*.ckpt*")] == [".damaged"]
    assert f"{file} is damaged and is set aside" in caplog.text


def test_killed_between_two_checkpoints_the_whole_one_counts():
    folder = RunFolder(leave_behind())
    (folder.path / "new.ckpt").write_bytes(b"half written")
    state = folder.load(FABRIC)
    assert state == {"epoch": 3, "step": 7}


def test_two_processes_on_one_run_are_refused():
    holder = (
        "import sys\n"
        "from fieldguide.learn.checkpoint import open_run_folder\n"
        "from fieldguide.learn.device import alone_on_device\n"
        "fabric = alone_on_device('32-true')\n"
        "with open_run_folder('train', {'params': 'a'}, fabric): print('held', flush=True); sys.stdin.read()"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    with subprocess.Popen(
        [sys.executable, "-c", holder], env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        assert process.stdout.readline() == "held\n"
        with pytest.raises(TrainingError, match="is in use: another process"), open_run_folder("train", RUN, FABRIC):
            pass
        with open_run_folder("train", {"params": "b"}, FABRIC):
            pass
        process.kill()
    with open_run_folder("train", RUN, FABRIC):
        pass


def test_a_process_that_is_forked_does_not_hold_the_lock():
    (reading, writing), (ready, say_ready) = os.pipe(), os.pipe()
    with pytest.raises(KilledError), open_run_folder("train", RUN, FABRIC):
        if not (child := os.fork()):
            # A worker that outlives the process which decodes with it.
            os.close(writing)
            os.write(say_ready, b".")
            os.read(reading, 1)
            os._exit(0)
        os.read(ready, 1)  # what is done after a fork is done
        raise KilledError
    with open_run_folder("train", RUN, FABRIC):
        pass
    os.close(writing)
    os.waitpid(child, 0)
    for end in (reading, ready, say_ready):
        os.close(end)


def test_what_nobody_took_up_is_removed(caplog: pytest.LogCaptureFixture):
    caplog.set_level(logging.INFO)
    old, recent = leave_behind({"params": "old"}), leave_behind({"params": "recent"})
    long_ago = time.time() - (KEEP_DAYS + 1) * 86_400
    # A checkpoint changes the attempt's folder, not the one above.
    for folder in (old, old.parent, recent.parent):
        os.utime(folder, (long_ago, long_ago))
    with open_run_folder("train", RUN, FABRIC):
        assert (old.parent.exists(), recent.exists()) == (False, True)
    assert f"removing {old.parent}" in caplog.text


def test_another_attempt_outlives_the_end_of_this_one():
    with pytest.raises(KilledError), open_run_folder("train", RUN, FABRIC, setting={"code": "edited"}) as other:
        other.save(FABRIC, {"epoch": 3, "step": 7})
        raise KilledError
    with open_run_folder("train", RUN, FABRIC) as folder:
        assert folder.load(FABRIC) is None
        folder.save(FABRIC, {"epoch": 0, "step": 1})
    assert not folder.path.exists()
    with open_run_folder("train", RUN, FABRIC, "compatible") as folder:
        assert folder.load(FABRIC) == {"epoch": 3, "step": 7}
    assert not folder.path.parent.exists()
