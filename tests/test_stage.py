"""A stage as a program: its options, its parameters, its metrics, and one line for every mistake of the user."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.pipeline.project import ROOT

STAGE = '''
"""Count things."""

import atexit
import os
import sys
import time
from pathlib import Path

from fieldguide.errors import PhotoError
from fieldguide.params import Section
from fieldguide.stage import run_stage


class CountParams(Section):
    first: int
    trouble: str


def count_things(
    params: CountParams, *, out: Path, source: Path = Path("nowhere"), teacher: str = "none", limit: int | None = None
) -> dict:
    if params.trouble == "user":
        raise PhotoError("too many photos are broken")
    if params.trouble == "bug":
        raise ZeroDivisionError("a bug")
    if params.trouble == "missing":
        (source / "absent.txt").read_text()
    if params.trouble == "our own path":
        Path("absent.txt").read_text()
    if params.trouble == "late":
        atexit.register(lambda: (Path("started").touch(), time.sleep(60)))
    if params.trouble == "late and slow":
        Path("started").touch()
        try:
            time.sleep(60)
        finally:
            Path("ending").touch()
            time.sleep(60)
    if params.trouble == "slow":
        Path("started").touch()
        try:
            time.sleep(60)
        finally:
            Path("ended").touch()
    if params.trouble == "full":
        # A device that is always full stands for a disk that is.
        with open("/dev/full", "w") as stream:
            stream.write("x")
    out.mkdir()
    return {"first": params.first, "teacher": teacher, "limit": limit}


run_stage(count_things, variant="teacher" if "--teacher" in sys.argv else None)
'''


@pytest.fixture
def run(tmp_path: Path):
    (tmp_path / "count_things.py").write_text(STAGE, encoding="utf-8")

    def run(params: str | None, *options: str, **env: str) -> subprocess.CompletedProcess[str]:
        if params is not None:
            (tmp_path / "params.yaml").write_text(params, encoding="utf-8")
        return subprocess.run(
            [sys.executable, "count_things.py", *options],
            cwd=tmp_path,
            env={"PATH": "", "PYTHONPATH": str(ROOT), "FIELDGUIDE_TRACKING": "off", **env},
            capture_output=True,
            text=True,
            check=False,
        )

    return run


def test_metrics_are_written_under_the_stages_name(run, tmp_path: Path):
    finished = run("count_things: {first: 3, trouble: none}", "--out", "made", "--limit", "5")
    assert (finished.returncode, finished.stderr) == (0, "")
    metrics = json.loads((tmp_path / "metrics" / "count-things.json").read_bytes())
    assert metrics == {"first": 3, "teacher": "none", "limit": 5}
    assert (tmp_path / "made").is_dir()


def test_a_variant_picks_its_entry_and_names_the_metrics(run, tmp_path: Path):
    finished = run("count_things: {global: {first: 4, trouble: none}}", "--out", "made", "--teacher", "global")
    assert (finished.returncode, finished.stderr) == (0, "")
    metrics = json.loads((tmp_path / "metrics" / "count-things-global.json").read_bytes())
    assert metrics == {"first": 4, "teacher": "global", "limit": None}


@pytest.mark.parametrize(
    ("params", "message"),
    [
        (None, "count_things: params.yaml is missing; run from the repository's root"),
        (
            "count_things: {first: 3, trouble: none, frist: 4}",
            "count_things: params.yaml: key 'count_things.frist' is unknown; expected one of first, trouble",
        ),
        (
            "count_things: {first: 3, trouble: none}\ntrain_teacher: {'; true': {}}",
            "count_things: params.yaml: train_teacher: a name is '; true'; expected letters, digits and . _ -, the "
            "first a letter or a digit",
        ),
        (
            "count_things: &all {first: 3, trouble: none}\nagain: *all",
            "count_things: params.yaml line 1: anchor or alias 'all', in which `dvc exp run -S` loses values; expected "
            "every value in full, as `python -m fieldguide preset` writes it",
        ),
        ("count_things: {first: 3, trouble: user}", "count_things: too many photos are broken"),
        ("count_things: {first: 3, trouble: missing}", "count_things: No such file or directory: nowhere/absent.txt"),
        ("count_things: {first: 3, trouble: full}", "count_things: No space left on device"),
    ],
    ids=["no params.yaml", "wrong key", "sections at odds", "an alias", "input at fault", "missing file", "full disk"],
)
def test_a_users_mistake_is_one_line_and_exit_code_1(run, tmp_path: Path, params: str | None, message: str):
    finished = run(params, "--out", "made")
    assert (finished.returncode, finished.stderr.splitlines()) == (1, [message])
    assert not (tmp_path / "metrics").exists()


@pytest.mark.parametrize(
    ("trouble", "message"),
    [("bug", "ZeroDivisionError: a bug"), ("our own path", "FileNotFoundError: [Errno 2] No such file or directory")],
)
def test_a_bug_keeps_its_traceback(run, trouble: str, message: str):
    finished = run(f"count_things: {{first: 3, trouble: {trouble}}}", "--out", "made")
    assert finished.returncode == 1
    assert "Traceback" in finished.stderr
    assert message in finished.stderr


def test_a_missing_option_is_named(run):
    finished = run("count_things: {first: 3, trouble: none}")
    assert finished.returncode == 2
    assert "the following arguments are required: --out" in finished.stderr


def test_a_wrong_tracking_mode_is_a_mistake_too(run):
    finished = run("count_things: {first: 3, trouble: none}", "--out", "made", FIELDGUIDE_TRACKING="maybe")
    assert finished.returncode == 1
    assert finished.stderr == (
        "count_things: environment variable FIELDGUIDE_TRACKING is 'maybe'; expected one of on, off, strict\n"
    )


def wait_for(path: Path) -> None:
    deadline = time.monotonic() + 60
    while not path.exists():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def start_slowly(tmp_path: Path, *command: str, trouble: str = "slow") -> subprocess.Popen[str]:
    (tmp_path / "params.yaml").write_text(f"count_things: {{first: 1, trouble: {trouble}}}", encoding="utf-8")
    environment = {"PATH": "", "PYTHONPATH": str(ROOT), "FIELDGUIDE_TRACKING": "off"}
    return subprocess.Popen(
        [sys.executable, *command], cwd=tmp_path, env=environment, stderr=subprocess.PIPE, text=True
    )


def test_ctrl_c_is_one_line(run, tmp_path: Path):
    with start_slowly(tmp_path, "count_things.py", "--out", "out") as process:
        wait_for(tmp_path / "started")
        process.send_signal(signal.SIGINT)
        assert process.stderr
        assert process.stderr.read() == "count_things: interrupted\n"
    assert process.returncode == 130
    assert (tmp_path / "ended").exists()


def test_a_stage_ends_with_the_process_that_started_it(run, tmp_path: Path):
    start = "import subprocess, sys; subprocess.run([sys.executable, 'count_things.py', '--out', 'out'])"
    with start_slowly(tmp_path, "-c", start) as parent:
        wait_for(tmp_path / "started")
        parent.kill()
        wait_for(tmp_path / "ended")
    assert not (tmp_path / "out").exists()


def test_a_kill_after_the_work_is_done_prints_nothing(run, tmp_path: Path):
    with start_slowly(tmp_path, "count_things.py", "--out", "out", trouble="late") as process:
        wait_for(tmp_path / "started")
        process.terminate()
        assert process.stderr
        assert process.stderr.read() == ""
    assert process.returncode == -signal.SIGTERM


def test_a_second_kill_waits_for_nothing(run, tmp_path: Path):
    with start_slowly(tmp_path, "count_things.py", "--out", "out", trouble="late and slow") as process:
        wait_for(tmp_path / "started")
        process.terminate()
        wait_for(tmp_path / "ending")
        process.terminate()
    assert process.returncode == -signal.SIGTERM
