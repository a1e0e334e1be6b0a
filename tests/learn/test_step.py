"""A step of several batches is one of a larger batch, and what goes wrong in it is one line."""

from dataclasses import replace
from pathlib import Path
from shutil import copytree
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor

from fieldguide.errors import FieldguideError, RecordError, TrainingError
from fieldguide.learn.training import TrainingTask
from tests.learn.looping import train_into
from tests.learn.making import largest_difference

PLAIN: dict[str, Any] = {
    # No BatchNorm, whose statistics are those of a batch, and no dropout.
    "architecture": "test_vit",
    "architecture_args": {"img_size": 32},
    "optimizer": "sgd",
    "learning_rate": 0.1,
    "epochs": 2,
}


def failing(error: str) -> Any:
    """Makes a task go wrong in its third batch."""

    def alter(task: TrainingTask) -> TrainingTask:
        count = 0

        def loss(*batch: Any) -> Tensor:
            nonlocal count
            count += 1
            if count == 3 and error == "memory":
                torch.empty(2**50)
            return task.loss(*batch) * (float("nan") if count == 3 else 1.0)

        return replace(task, loss=loss)

    return alter


@pytest.mark.parametrize("accumulate", [2, 4])
def test_batches_accumulate_to_a_larger_one(tfrecord: Path, tmp_path: Path, accumulate: int):
    train_into(tmp_path / "large", tfrecord, batch_size=16, **PLAIN)
    train_into(tmp_path / "small", tfrecord, batch_size=16 // accumulate, accumulate=accumulate, **PLAIN)
    large, small = (load_file(tmp_path / name / "last.safetensors") for name in ("large", "small"))
    assert largest_difference(large, small) < 1e-6
    curves = [(tmp_path / name / "history.csv").read_text().splitlines() for name in ("large", "small")]
    for rows in zip(*curves, strict=True):
        if rows[0][0].isdigit():
            found, expected = ([float(value) for value in row.split(",")] for row in rows)
            # The learning rate is that of the last step.
            assert found == pytest.approx(expected, rel=1e-4)


def test_what_is_left_at_the_end_of_an_epoch_is_a_step_of_its_own(tfrecord: Path, tmp_path: Path):
    steps = []

    def alter(task: TrainingTask) -> TrainingTask:
        def loss(*batch: Tensor) -> Tensor:
            steps.append(len(batch[0]))
            return task.loss(*batch)

        return replace(task, loss=loss)

    train_into(tmp_path, tfrecord, alter=alter, accumulate=4, **PLAIN)
    assert steps == [8] * 12


def test_drop_path_acts_and_is_not_written_down(tfrecord: Path, tmp_path: Path):
    train_into(tmp_path / "without", tfrecord, **PLAIN)
    train_into(tmp_path / "with", tfrecord, drop_path=0.3, **PLAIN)
    assert (tmp_path / "with" / "history.csv").read_text() != (tmp_path / "without" / "history.csv").read_text()
    assert "drop_path" not in (tmp_path / "with" / "model.json").read_text()


def test_what_thaws_learns_at_the_rate_of_its_layer(tfrecord: Path, tmp_path: Path):
    section = {**PLAIN, "ema_decay": None, "layer_decay": 0.5, "weight_decay": 0.0}
    thawing = {"start": 1, "duration": 0, "final_fraction": 1.0}
    train_into(tmp_path / "frozen", tfrecord, unfreeze=thawing, **section | {"epochs": 1})
    train_into(tmp_path / "thawed", tfrecord, unfreeze=thawing, **section)
    frozen, thawed = (load_file(tmp_path / name / "last.safetensors") for name in ("frozen", "thawed"))
    moved = {name: float((thawed[name] - frozen[name]).abs().max()) for name in thawed}
    assert min(moved.values()) > 0
    assert moved["blocks.0.mlp.fc1.weight"] < moved["blocks.5.mlp.fc1.weight"]


@pytest.mark.parametrize(
    ("error", "message"),
    [
        ("loss", r"batch 3 of 6 \(photos \S+, \S+, \S+, \S+ and 4 more\): the loss is nan; lower learning_rate"),
        ("memory", r"batch 3 of 6 \(.*\): out of memory: .*; batch_size 4 and accumulate 2 instead of 8 and 1 make"),
    ],
)
def test_a_step_that_cannot_be_taken_names_its_photos(tfrecord: Path, tmp_path: Path, error: str, message: str):
    with pytest.raises(TrainingError, match=f"^epoch 1 of 3, {message}") as caught:
        train_into(tmp_path, tfrecord, alter=failing(error))
    assert "\n" not in str(caught.value)


def test_a_gradient_that_is_not_finite(tfrecord: Path, tmp_path: Path):
    def alter(task: TrainingTask) -> TrainingTask:
        # The loss is 0, its slope without end.
        return replace(task, loss=lambda logits, views, indices: (logits - logits.detach()).sum().abs().sqrt())

    with pytest.raises(
        TrainingError, match=r"^epoch 1 of 3, batch 1 of 6 \(photos .*\): the gradient is (nan|inf); lower"
    ):
        train_into(tmp_path, tfrecord, alter=alter)


@pytest.mark.parametrize("workers", [0, 1])
def test_a_corrupt_record_is_named_with_its_place(tfrecord: Path, tmp_path: Path, workers: int):
    copytree(tfrecord, tmp_path / "tfrecord")
    for shard in (tmp_path / "tfrecord").glob("train-*.tfrecord"):
        content = bytearray(shard.read_bytes())
        content[len(content) // 2] ^= 1
        shard.write_bytes(content)
    with pytest.raises(RecordError, match=r"^epoch 1 of 3, batch \d of 6: ") as caught:
        train_into(tmp_path / "out", tmp_path / "tfrecord", workers=workers)
    assert "\n" not in str(caught.value)


def test_other_errors_are_bugs_and_stay_what_they_are(tfrecord: Path, tmp_path: Path):
    def alter(task: TrainingTask) -> TrainingTask:
        return replace(task, loss=lambda logits, views, indices: logits @ logits)

    with pytest.raises(RuntimeError) as caught:
        train_into(tmp_path, tfrecord, alter=alter)
    assert not isinstance(caught.value, FieldguideError)


@pytest.mark.slow
def test_a_compiled_network_learns_the_same_and_is_saved_the_same(tfrecord: Path, tmp_path: Path):
    section = {**PLAIN, "epochs": 1}
    train_into(tmp_path / "as it is", tfrecord, **section)
    train_into(tmp_path / "compiled", tfrecord, compile=True, **section)
    plain, compiled = (load_file(tmp_path / name / "last.safetensors") for name in ("as it is", "compiled"))
    assert largest_difference(plain, compiled) < 1e-5
