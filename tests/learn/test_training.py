"""The loop: it learns, stops when told to, and ends with the same bits however often it was killed."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import pytest
import torch
from lightning_fabric import Fabric
from safetensors.torch import load_file

from fieldguide import progress
from fieldguide.errors import ParamsError, TrainingError
from fieldguide.learn.network import Network, build_network, load_network
from fieldguide.learn.setup import prepare_training
from fieldguide.learn.training_params import TrainingParams
from fieldguide.learn.validation import Validation
from tests.learn.looping import KilledError, same_files, train_into
from tests.learn.making import EVERYTHING, largest_difference, training_section
from tests.records.making import TAXONOMY

MASKING = {
    "architecture": "vit_tiny_patch16_224",
    "architecture_args": {"img_size": 32, "patch_size": 8, "embed_dim": 24, "depth": 2, "num_heads": 3},
    "mask_padding": True,
}


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory, tfrecord: Path) -> Path:
    out = tmp_path_factory.mktemp("undisturbed")
    train_into(out, tfrecord)
    return out


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory, tfrecord: Path) -> Path:
    out = tmp_path_factory.mktemp("whole")
    train_into(out, tfrecord, **EVERYTHING)
    return out


def test_files_of_a_finished_training(undisturbed: Path):
    names = {"model.safetensors", "last.safetensors", "model.json", "history.csv"}
    assert {path.name for path in undisturbed.iterdir()} == names
    header, *rows = (undisturbed / "history.csv").read_text().splitlines()
    assert header == "epoch,lr,train_loss,grad_norm,val_loss,val_top1,val_top1_species,val_top1_genus"
    assert [row.split(",")[0] for row in rows] == ["0", "1", "2"]
    best = max(range(3), key=lambda epoch: (float(rows[epoch].split(",")[5]), -float(rows[epoch].split(",")[4])))
    assert load_network(undisturbed).spec.epoch == best


@pytest.mark.parametrize("stop_after", [1, 4, 6, 7, 12, 17])
def test_taken_up_at_any_step_the_bits_are_the_same(undisturbed: Path, tfrecord: Path, tmp_path: Path, stop_after: int):
    # 6 batches an epoch and a checkpoint every second: some of these lie on a checkpoint, some between two.
    with pytest.raises(KilledError):
        train_into(tmp_path, tfrecord, stop_after=stop_after)
    done = train_into(tmp_path, tfrecord)
    assert done["steps"] == 18 - (stop_after - 1) // 2 * 2
    assert same_files(undisturbed, tmp_path)
    for file in ("model.safetensors", "last.safetensors"):
        assert largest_difference(load_file(undisturbed / file), load_file(tmp_path / file)) == 0.0


@pytest.mark.parametrize("stop_after", [3, 6, 9, 14])
def test_so_they_are_with_mixing_freezing_and_accumulation(
    whole: Path, tfrecord: Path, tmp_path: Path, stop_after: int
):
    # Steps of 4 and 2 batches: some of these lie inside of one.
    with pytest.raises(KilledError):
        train_into(tmp_path, tfrecord, stop_after=stop_after, **EVERYTHING)
    train_into(tmp_path, tfrecord, **EVERYTHING)
    assert same_files(whole, tmp_path)


@pytest.mark.slow
def test_the_result_does_not_depend_on_workers_or_an_earlier_run(
    tfrecord: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    # The number of torch's threads, which follows from that of the workers, may change the last bits; so hold it.
    monkeypatch.setattr("fieldguide.learn.device.count_workers", lambda _: 1)
    train_into(tmp_path / "alone", tfrecord)
    train_into(tmp_path / "helped", tfrecord, epochs=1)
    train_into(tmp_path / "helped", tfrecord, workers=2)
    assert same_files(tmp_path / "alone", tmp_path / "helped")


@pytest.mark.slow
def test_masked_padding_is_mixed_and_taken_up_like_all_else(tfrecord: Path, tmp_path: Path):
    masking = {**MASKING, "mixup": EVERYTHING["mixup"], "cutmix": EVERYTHING["cutmix"], "unfreeze": None, "epochs": 2}
    whole = train_into(tmp_path / "whole", tfrecord, workers=1, **masking)
    with pytest.raises(KilledError):
        train_into(tmp_path / "cut", tfrecord, workers=1, stop_after=9, **masking)
    resumed = train_into(tmp_path / "cut", tfrecord, workers=1, **masking)
    assert resumed["steps"] < whole["steps"]
    weights = [load_file(tmp_path / name / "model.safetensors") for name in ("whole", "cut")]
    assert largest_difference(*weights) == 0.0
    assert all(weight.isfinite().all() for weight in weights[0].values())
    assert load_network(tmp_path / "cut").spec.mask_padding


def test_the_flora_is_learnt(tfrecord: Path, tmp_path: Path):
    metrics = train_into(tmp_path, tfrecord, epochs=20, ema_decay=None, transforms=[], balance_fraction=0.0)
    assert [point["epoch"] for point in metrics["curves"]] == list(range(20))
    losses = [float(row.split(",")[2]) for row in (tmp_path / "history.csv").read_text().splitlines()[1:]]
    assert losses[-1] < 0.8 * losses[0]


def test_an_epoch_shows_how_far_it_is(tfrecord: Path, tmp_path: Path, monkeypatch, caplog):
    monkeypatch.setattr(progress, "FIRST_LOG_S", -1)
    caplog.set_level(logging.INFO)
    train_into(tmp_path, tfrecord, epochs=1)
    shown = [message.split(",")[0] for message in caplog.messages if "batches" in message]
    assert shown == [f"epoch 1 of 1: {step} of 6 batches" for step in range(1, 6)]


@dataclass(frozen=True)
class Planned:
    """A validation whose scores are known beforehand: top-1 and loss of each epoch."""

    scores: Iterator[tuple[float, float]]

    def measure(self, network: Network, rank_weights: dict[str, float], fabric: Fabric) -> dict[str, float]:
        top1, loss = next(self.scores)
        return {"val_loss": loss, "val_top1": top1}


@pytest.mark.parametrize(
    ("monitor", "patience", "scores", "best_epoch", "num_epochs"),
    [
        ("val_top1", 1, [(0.1, 2.0), (0.2, 3.0), (0.2, 3.0), (0.9, 1.0)], 1, 3),
        ("val_top1", 2, [(0.2, 2.0), (0.1, 1.0), (0.3, 1.0), (0.1, 1.0), (0.2, 1.0), (0.9, 1.0)], 2, 5),
        ("val_top1", 2, [(0.2, 2.0), (0.1, 1.0), (0.2, 1.9), (0.1, 1.0), (0.2, 1.9), (0.9, 1.0)], 2, 5),
        ("val_top1", None, [(0.2, 2.0), (0.1, 1.0), (0.1, 1.0), (0.1, 1.0)], 0, 4),
        ("val_loss", 1, [(0.1, 2.0), (0.0, 1.9), (0.9, 1.9), (0.9, 0.1)], 1, 3),
        ("val_loss", 3, [(0.1, 2.0), (0.9, 2.1), (0.9, 2.2), (0.9, 2.3), (0.9, 0.1)], 0, 4),
    ],
)
def test_patience(
    tfrecord: Path,
    tmp_path: Path,
    monitor: str,
    patience: int | None,
    scores: list[tuple[float, float]],
    best_epoch: int,
    num_epochs: int,
):
    found = train_into(
        tmp_path,
        tfrecord,
        alter=lambda task: replace(task, validation=cast(Validation, Planned(iter(scores)))),
        epochs=len(scores),
        monitor=monitor,
        patience=patience,
        max_samples=8,
    )
    assert (found["best_epoch"], found["num_epochs"]) == (best_epoch, num_epochs)


def test_frozen_statistics_do_not_move_in_weights_or_average(whole: Path, tfrecord: Path, tmp_path: Path):
    frozen = {"start": 3, "duration": 2, "final_fraction": 1.0}
    train_into(tmp_path, tfrecord, unfreeze=frozen)
    first = build_network(
        TrainingParams.model_validate(training_section()),
        ranks=TAXONOMY.ranks,
        classes=TAXONOMY.classes,
        region=None,
        seed=17,
    ).module.state_dict()
    last = load_file(tmp_path / "last.safetensors")
    moved = {name for name, value in last.items() if not torch.equal(value, first[name])}
    assert moved == {"classifier.weight", "classifier.bias"}
    # Of half of it the norms at the end have moved, those at the beginning have not.
    half = load_file(whole / "last.safetensors")
    moved = {name for name, value in half.items() if "running_mean" in name and not torch.equal(value, first[name])}
    norms = [name for name in half if "running_mean" in name]
    assert 0 < len(moved) < len(norms)


def test_metrics_of_a_rebalanced_classifier_are_those_of_the_weights(whole: Path, tfrecord: Path, tmp_path: Path):
    found = train_into(tmp_path, tfrecord, epochs=1, rebalance={"species": "logit_adjustment"})
    assert found["val_macro_species"] >= found["val_macro_before_species"]
    params = TrainingParams.model_validate(training_section())
    validation = prepare_training(params, tfrecord, None, region=None, views=None).validation
    measured = validation.measure(load_network(tmp_path), params.rank_weights)
    assert {name: found[name] for name in measured} == pytest.approx(measured)


def test_curves_have_what_differs_between_runs_and_files_have_not(tfrecord: Path, tmp_path: Path):
    (point,) = train_into(tmp_path, tfrecord, epochs=1)["curves"]
    header = (tmp_path / "history.csv").read_text().splitlines()[0].split(",")
    assert set(point) - set(header) == {"images_per_s", "peak_memory_mb"}
    assert point["grad_norm"] > 0
    assert point["peak_memory_mb"] > 100


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"optimizer": "adamv"}, TrainingError, "optimizer 'adamv' cannot be made"),
        ({"rank_weights": {"species": 1.0}}, ParamsError, "expected a weight for each of"),
        ({"head_init": "linear_probe"}, TrainingError, "weights are from scratch; expected weights from file or hub"),
        ({"precision": "fp16-mixed"}, ParamsError, "precision is fp16-mixed, but this machine has no GPU"),
    ],
)
def test_what_cannot_be_trained_is_one_line(
    tfrecord: Path, tmp_path: Path, changes: dict[str, Any], error: type[Exception], message: str
):
    with pytest.raises(error, match=message) as caught:
        train_into(tmp_path, tfrecord, **changes)
    assert "\n" not in str(caught.value)
