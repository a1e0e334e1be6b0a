"""Which attempt is taken up, as a table; and that one which is not is named and kept."""

import json
import logging
from pathlib import Path

import pytest

from fieldguide.learn.attempts import POSITION_FILE, SETTINGS_FILE, Attempt, choose_attempt, take_up_attempt
from fieldguide.learn.training_params import Resume

HERE = {"code": "a", "torch": "2"}
EDITED = {"code": "b", "torch": "2"}
OLDER = {"code": "a", "torch": "1"}


@pytest.mark.parametrize(
    ("attempts", "exact", "compatible"),
    [
        ([], None, None),
        ([([HERE], 3)], 0, 0),
        ([([EDITED], 3)], None, 0),
        ([([HERE, EDITED], 3)], None, 0),
        ([([EDITED], 3), ([HERE], 3)], 1, 1),
        ([([EDITED], 4), ([HERE], 3)], 1, 0),
        ([([HERE], 3), ([HERE], 4)], 1, 1),
        ([([OLDER], 2), ([EDITED], 2)], None, 0),
    ],
    ids=str,
)
def test_choice(attempts: list[tuple[list[dict[str, str]], int]], exact: int | None, compatible: int | None):
    made = [Attempt(Path(str(number)), settings, (epoch, 0)) for number, (settings, epoch) in enumerate(attempts)]
    for resume, expected in (("exact", exact), ("compatible", compatible), ("never", None)):
        chosen = choose_attempt(made, HERE, resume)  # type: ignore[arg-type]
        assert chosen is (None if expected is None else made[expected])


def leave(run: Path, setting: dict[str, str], epoch: int, resume: Resume = "exact") -> Path:
    """The folder of an attempt that got to `epoch`."""
    path = take_up_attempt(run, setting, resume)
    (path / "some.ckpt").write_text(f"{setting} {epoch}")
    (path / POSITION_FILE).write_text(json.dumps({"epoch": epoch, "step": 7}))
    return path


def test_what_is_not_taken_up_is_named_and_kept(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    first = leave(tmp_path, EDITED, 3)
    assert caplog.messages == []
    second = leave(tmp_path, HERE, 1)
    assert second != first
    assert caplog.messages == [
        f"{first} (epoch 4, 7 batches) is left alone: it was made with other code; `resume: compatible` goes on from "
        "it. It is removed 14 days after its last use"
    ]
    assert (first / "some.ckpt").read_text() == f"{EDITED} 3"
    caplog.clear()
    # What the line promised.
    assert take_up_attempt(tmp_path, HERE, "compatible") == first
    assert [message.partition(":")[0] for message in caplog.messages] == [
        f"{second} (epoch 2, 7 batches) is left alone",
        f"going on from {first}, made with other code",
    ]
    assert json.loads((first / SETTINGS_FILE).read_text()) == [EDITED, HERE]


def test_a_mixed_attempt_is_exact_for_nobody(tmp_path: Path):
    mixed = leave(tmp_path, EDITED, 1)
    assert leave(tmp_path, HERE, 2, "compatible") == mixed
    for setting in (EDITED, HERE):
        assert take_up_attempt(tmp_path, setting, "exact") != mixed


def test_back_with_the_former_code_its_own_attempt_goes_on(tmp_path: Path):
    first, second = leave(tmp_path, EDITED, 1), leave(tmp_path, HERE, 5)
    assert take_up_attempt(tmp_path, EDITED, "exact") == first
    assert take_up_attempt(tmp_path, HERE, "exact") == second


def test_never_begins_anew_and_says_so(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    first = leave(tmp_path, HERE, 1)
    assert take_up_attempt(tmp_path, HERE, "never") != first
    assert "resume is never; `resume: exact` goes on from it" in caplog.text


def test_an_attempt_without_work_leaves_no_trace(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    caplog.set_level(logging.INFO)
    empty = take_up_attempt(tmp_path, EDITED, "exact")
    assert take_up_attempt(tmp_path, HERE, "exact") == empty
    assert json.loads((empty / SETTINGS_FILE).read_text()) == [HERE]
    assert caplog.messages == []


def test_damaged_settings_are_exact_for_nobody(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    damaged = leave(tmp_path, HERE, 1)
    (damaged / SETTINGS_FILE).write_text("[")
    assert take_up_attempt(tmp_path, HERE, "exact") != damaged
    assert "made with other code, torch unknown instead of 2;" in caplog.text
