"""A fingerprint names what changes a result, and nothing else."""

from pathlib import Path

import pytest
import torch

from fieldguide.learn.fingerprint import (
    describe_setting,
    digest_code,
    make_fingerprint,
    name_differences,
    name_run,
    strip_comments,
)


def test_every_input_counts(tfrecord: Path, tmp_path: Path):
    other = tmp_path / "teacher.json"
    other.write_text("one")
    before = make_fingerprint({"lr": 1}, tfrecord, other)
    assert make_fingerprint({"lr": 1}, tfrecord, other) == before
    other.write_text("two")
    after = make_fingerprint({"lr": 2}, tfrecord, other)
    assert {name for name in before if before[name] != after[name]} == {"params", str(other)}
    assert name_run("train", before) != name_run("train", after)


def test_how_a_result_is_reached_does_not_count(tfrecord: Path):
    how = ("workers", "checkpoint_steps", "devices", "resume")
    one, two = ({"lr": 1, **dict.fromkeys(how, value)} for value in (1, 2))
    assert make_fingerprint(one, tfrecord) == make_fingerprint(two, tfrecord)


def test_the_setting_names_what_may_change_bits():
    setting = describe_setting(2)
    assert setting["code"] == digest_code()[:16]
    assert (setting["processes"], setting["torch"]) == ("2", torch.__version__)
    other = {**setting, "torch": "1.0", "code": "edited"}
    assert name_differences(other, setting) == ["code", f"torch 1.0 instead of {torch.__version__}"]
    assert name_differences({}, {"threads": "1"}) == ["threads unknown instead of 1"]
    assert name_differences(setting, describe_setting(2)) == []


@pytest.mark.parametrize(
    ("edited", "counts"),
    [
        ("# Why.\ndef f(x):\n    return x + 1\n", False),
        ('"""What."""\ndef f(x):\n    """That."""\n\n    return (x + 1)\n', False),
        ("def f(x):\n    return x + 2\n", True),
        ("def f(x, y=1):\n    return x + 1\n", True),
        ("def f(x):\n    return x + 1\nNAME = 'text'\n", True),
    ],
)
def test_comments_docstrings_and_layout_do_not_count(edited: str, counts: bool):
    assert (strip_comments(edited) != strip_comments("def f(x):\n    return x + 1\n")) == counts
