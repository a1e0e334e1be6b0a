"""Nothing that other people named acts on a terminal, whichever way it gets there."""

import subprocess
import sys

import pytest

from fieldguide.console import printable_stdout, tell_failure
from tests.pipeline.project import ROOT

HOSTILE = "\x1b[2J\u202eretsA\x00\udcff"
SHOWN = r"\x1b[2J\u202eretsA\x00\udcff"


def test_what_is_printed_is_written_out(capsys: pytest.CaptureFixture[str]) -> None:
    with printable_stdout():
        print("label\t", HOSTILE, sep="", end="\n\n", flush=True)
    print("after\x1b")
    assert capsys.readouterr().out == f"label\t{SHOWN}\n\nafter\x1b\n"


def test_a_failure_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    tell_failure("fetch", f"{HOSTILE}\nall is well")
    assert capsys.readouterr().err == f"fetch: {SHOWN}\\nall is well\n"


def test_a_log_message_is_one_line() -> None:
    program = (
        "import logging; from fieldguide.console import log_to_console; log_to_console();"
        "logging.getLogger('fieldguide.fetch').warning('%s\\nforged', '\\x1b[31m');"
        "logging.getLogger('library').info('two\\nlines\\x1b')"
    )
    run = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert run.stderr == "\\x1b[31m\\nforged\ntwo\nlines\\x1b\n"
