"""A fingerprint names what changes a result, and nothing else."""

from pathlib import Path

import pytest

from fieldguide.learn.fingerprint import digest_code, make_fingerprint, name_run, strip_comments


def test_every_input_counts(tfrecord: Path, tmp_path: Path):
    other = tmp_path / "teacher.json"
    other.write_text("one")
    before = make_fingerprint({"lr": 1}, tfrecord, other)
    assert make_fingerprint({"lr": 1}, tfrecord, other) == before
    other.write_text("two")
    after = make_fingerprint({"lr": 2}, tfrecord, other)
    assert {name for name in before if before[name] != after[name]} == {"params", str(other)}
    assert before["code"] == digest_code()
    assert name_run("train", before) != name_run("train", after)


def test_workers_and_checkpoints_do_not_count(tfrecord: Path):
    one, two = ({"lr": 1, "workers": num, "checkpoint_steps": 10 * num} for num in (1, 2))
    assert make_fingerprint(one, tfrecord) == make_fingerprint(two, tfrecord)


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
