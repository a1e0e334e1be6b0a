"""The loop on records: a small network, trained until it is done or dies."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from fieldguide.learn.checkpoint import open_run_folder
from fieldguide.learn.dataset import PhotoDataset
from fieldguide.learn.fingerprint import make_fingerprint
from fieldguide.learn.imbalance import make_balances
from fieldguide.learn.losses import LabelLoss
from fieldguide.learn.processes import joined_processes
from fieldguide.learn.setup import prepare_training
from fieldguide.learn.training import TrainingTask, train_network
from fieldguide.learn.training_params import TrainingParams
from fieldguide.learn.transforms import build_transforms
from tests.learn.making import training_section


class KilledError(Exception):
    pass


def train_into(
    out: Path,
    tfrecord: Path,
    stop_after: int | None = None,
    alter: Callable[[TrainingTask], TrainingTask] = lambda task: task,
    on_step: Callable[[int], None] = lambda step: None,
    **changes: Any,
) -> dict[str, Any]:
    """Train the small network of `training_section`; `on_step` hears of each step, and with `stop_after` one dies.

    `alter` gets the task.
    """
    params = TrainingParams.model_validate(training_section(**changes))
    setup = prepare_training(params, tfrecord, None, region=None, views=None)
    labels, cpu = torch.from_numpy(setup.labels), torch.device("cpu")
    balances = make_balances(setup.network.spec, params.loss, setup.class_counts, cpu)
    label_loss = LabelLoss(setup.network.spec, labels, params.rank_weights, params.label_smoothing, balances)
    steps = 0

    def loss(*batch: Any) -> torch.Tensor:
        nonlocal steps
        steps += 1
        on_step(steps)
        if steps == stop_after:
            raise KilledError
        return label_loss(*batch)

    dataset = PhotoDataset(setup.records, setup.network.spec, build_transforms(params.transforms), params.seed)
    task = alter(TrainingTask(dataset, setup.order, loss, setup.validation, setup.class_counts))
    curves: list[dict[str, float]] = []
    fingerprint = make_fingerprint(params.model_dump(mode="json"), tfrecord)
    with (
        joined_processes(params.devices, params.precision, params.workers) as fabric,
        open_run_folder(out.name, fingerprint, fabric, params.resume) as folder,
    ):
        metrics = train_network(
            setup.network,
            params,
            task,
            out,
            folder=folder,
            fabric=fabric,
            on_epoch=lambda epoch, values: curves.append({"epoch": epoch, **values}),
        )
    return {**metrics, "curves": curves, "steps": steps}


def same_files(left: Path, right: Path) -> bool:
    names = sorted(path.name for path in left.iterdir())
    assert names == sorted(path.name for path in right.iterdir())
    return all((left / name).read_bytes() == (right / name).read_bytes() for name in names)
