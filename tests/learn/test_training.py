"""The loop: it learns, stops when told to, and ends with the same bits however often it was killed."""

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from fieldguide import progress
from fieldguide.errors import ParamsError, TrainingError
from fieldguide.learn.checkpoint import open_run_folder
from fieldguide.learn.dataset import PhotoDataset
from fieldguide.learn.fingerprint import make_fingerprint
from fieldguide.learn.losses import LabelLoss
from fieldguide.learn.network import load_network
from fieldguide.learn.params import TrainingParams
from fieldguide.learn.processes import joined_processes
from fieldguide.learn.setup import prepare_training
from fieldguide.learn.training import TrainingTask, train_network
from fieldguide.learn.transforms import build_transforms
from tests.learn.making import largest_difference, training_section


class KilledError(Exception):
    pass


def train_into(
    out: Path,
    tfrecord: Path,
    stop_after: int | None = None,
    on_step: Callable[[int], None] = lambda step: None,
    **changes: Any,
) -> dict[str, Any]:
    """Train the small network of `training_section`; `on_step` hears of each step, and with `stop_after` one dies."""
    params = TrainingParams.model_validate(training_section(**changes))
    setup = prepare_training(params, tfrecord, None, region=None, views=None)
    label_loss = LabelLoss(setup.network.spec, torch.from_numpy(setup.labels), params.rank_weights, 0.1)
    steps = 0

    def loss(*batch: torch.Tensor) -> torch.Tensor:
        nonlocal steps
        steps += 1
        on_step(steps)
        if steps == stop_after:
            raise KilledError
        return label_loss(*batch)

    dataset = PhotoDataset(setup.records, setup.network.spec, build_transforms(params.transforms), params.seed)
    curves: list[int] = []
    fingerprint = make_fingerprint(params.model_dump(mode="json"), tfrecord)
    with (
        joined_processes(params.devices, params.precision, params.workers) as fabric,
        open_run_folder(out.name, fingerprint, fabric, params.resume) as folder,
    ):
        metrics = train_network(
            setup.network,
            params,
            TrainingTask(dataset, setup.order, loss, setup.validation),
            out,
            folder=folder,
            fabric=fabric,
            on_epoch=lambda epoch, values: curves.append(epoch),
        )
    return {**metrics, "curves": curves, "steps": steps}


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory, tfrecord: Path) -> Path:
    out = tmp_path_factory.mktemp("undisturbed")
    train_into(out, tfrecord)
    return out


def same_files(left: Path, right: Path) -> bool:
    names = sorted(path.name for path in left.iterdir())
    assert names == sorted(path.name for path in right.iterdir())
    return all((left / name).read_bytes() == (right / name).read_bytes() for name in names)


def test_files_of_a_finished_training(undisturbed: Path):
    names = {"model.safetensors", "last.safetensors", "model.json", "history.csv"}
    assert {path.name for path in undisturbed.iterdir()} == names
    header, *rows = (undisturbed / "history.csv").read_text().splitlines()
    assert header == "epoch,lr,train_loss,val_loss,val_top1,val_top1_species,val_top1_genus"
    assert [row.split(",")[0] for row in rows] == ["0", "1", "2"]
    best = max(range(3), key=lambda epoch: (float(rows[epoch].split(",")[4]), -float(rows[epoch].split(",")[3])))
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
def test_the_flora_is_learnt(tfrecord: Path, tmp_path: Path):
    metrics = train_into(tmp_path, tfrecord, epochs=20, ema_decay=None, transforms=[], balance_fraction=0.0)
    assert metrics["curves"] == list(range(20))
    losses = [float(row.split(",")[2]) for row in (tmp_path / "history.csv").read_text().splitlines()[1:]]
    assert losses[-1] < 0.8 * losses[0]


def test_an_epoch_shows_how_far_it_is(tfrecord: Path, tmp_path: Path, monkeypatch, caplog):
    monkeypatch.setattr(progress, "FIRST_LOG_S", -1)
    caplog.set_level(logging.INFO)
    train_into(tmp_path, tfrecord, epochs=1)
    shown = [message.split(",")[0] for message in caplog.messages if "batches" in message]
    assert shown == [f"epoch 1 of 1: {step} of 6 batches" for step in range(1, 6)]


def test_patience(tfrecord: Path, tmp_path: Path):
    metrics = train_into(tmp_path, tfrecord, epochs=40, learning_rate=1e-9, min_learning_rate=0.0, patience=2)
    # The best epoch, and two more that were no better.
    assert metrics["num_epochs"] == metrics["best_epoch"] + 3 < 40


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"optimizer": "adamv"}, TrainingError, "optimizer 'adamv' cannot be made"),
        ({"rank_weights": {"species": 1.0}}, ParamsError, "expected a weight for each of"),
        ({"head_init": "linear_probe"}, ParamsError, "this stage reads no embeddings"),
        ({"learning_rate": 1e30, "clip_norm": None, "warmup_epochs": 0}, TrainingError, "the loss is .* at epoch"),
    ],
)
def test_what_cannot_be_trained_is_one_line(
    tfrecord: Path, tmp_path: Path, changes: dict[str, Any], error: type[Exception], message: str
):
    with pytest.raises(error, match=message) as caught:
        train_into(tmp_path, tfrecord, **changes)
    assert "\n" not in str(caught.value)
