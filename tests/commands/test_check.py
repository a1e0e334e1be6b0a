"""`python -m fieldguide check`: what it prints, and how it ends."""

from pathlib import Path

import pytest

from fieldguide.__main__ import main
from fieldguide.preflight.checks import CHECKS
from tests.preflight.conftest import Write, write

__all__ = ["write"]


@pytest.fixture
def without_networks(monkeypatch: pytest.MonkeyPatch) -> None:
    """These take as long as PyTorch takes to load, and have tests of their own."""
    quick = {name: check for name, check in CHECKS.items() if name != "networks"}
    monkeypatch.setattr("fieldguide.commands.check.CHECKS", quick)


@pytest.mark.usefixtures("without_networks")
def test_every_check_is_a_line(write: Write, capsys: pytest.CaptureFixture[str]):
    write()
    main(["check"])
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[:2] for line in lines] == [["ok", name] for name in CHECKS if name != "networks"]


@pytest.mark.usefixtures("without_networks")
def test_all_problems_are_told_and_the_exit_code_is_1(write: Write, capsys: pytest.CaptureFixture[str]):
    write("resize.quality=101", "fetch.sources.flora.roots=[nowhere]", "clean.replacements=none.csv")
    with pytest.raises(SystemExit) as left:
        main(["check"])
    assert left.value.code == 1
    told = capsys.readouterr()
    assert [line.split()[1] for line in told.out.splitlines() if "PROBLEM" in line] == ["params", "sources", "lists"]
    assert told.err == "check: params.yaml: 3 problems, above\n"


def test_another_file_may_be_checked(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit):
        main(["check", "--params", str(tmp_path / "mine.yaml")])
    assert "mine.yaml is missing" in capsys.readouterr().err
