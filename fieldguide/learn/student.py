"""A student's training: teachers are asked, then the network learns from them and from the labels."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from lightning_fabric import Fabric
from torch import nn

from fieldguide.errors import TrainingError
from fieldguide.learn.answer_cache import open_answer_cache
from fieldguide.learn.checkpoint import RunFolder
from fieldguide.learn.distillation import DistillationLoss
from fieldguide.learn.hard_labels import measure_gain, without_teachers
from fieldguide.learn.imbalance import make_balances
from fieldguide.learn.network import check_side
from fieldguide.learn.pairs import Pairs
from fieldguide.learn.projector import ProjectedStudent
from fieldguide.learn.setup import TrainingSetup, prepare_training
from fieldguide.learn.student_params import DistillationParams
from fieldguide.learn.teachers import Teacher, TeacherAnswers, ask_teachers
from fieldguide.learn.training import OnEpoch, TrainingTask, train_network
from fieldguide.learn.transforms import build_transforms
from fieldguide.learn.views import ViewDataset
from fieldguide.records.manifest import Manifest

HARD_LABELS = "hard-labels"
"""Folder in the run's folder, and prefix of the curves, of the student that has no teachers."""


def prepare_student(params: DistillationParams, tfrecord: Path, split: Path | None = None) -> TrainingSetup:
    """The student with its first weights, and its photos; `split` is read for the small training set.

    Raises as `prepare_training` does.
    """
    # Keys hold epochs, of which the dataset makes views: the side of the images depends on the epoch.
    setup = prepare_training(params, tfrecord, None, region=None, views=None, split=split)
    check_sides(setup.network.module, params)
    return setup


def check_sides(module: nn.Module, params: DistillationParams) -> None:
    """Raise TrainingError if the student does not take the images of one of its `image_sizes`."""
    for side in sorted({side for _, side in params.image_sizes} - {params.image_size}):
        try:
            check_side(module, params.architecture, side)
        except TrainingError as error:
            raise TrainingError(
                f"image_sizes has {side}, but {error}; expected [], sides that it takes, a convolutional architecture, "
                "or one that is built for any side, as a ViT with architecture_args {dynamic_img_size: true}"
            ) from None


def train_student(
    params: DistillationParams,
    setup: TrainingSetup,
    tfrecord: Path,
    split: Path | None,
    teachers: Mapping[str, Teacher],
    out: Path,
    *,
    folder: RunFolder,
    fabric: Fabric,
    on_epoch: OnEpoch,
) -> dict[str, Any]:
    """Write the student's files into `out`, taught by the `teachers`, by name; return the metrics.

    With `compare_hard` a second student learns from the labels alone, in `folder`, and the metrics say what the
    teachers gave. A killed run goes on in whichever training it was.
    """
    pairs = Pairs(params.mix, len(setup.records), setup.indices, params.seed) if params.mix else None
    with open_answer_cache(params.cache_gb) as cache:
        shards = Manifest.read(tfrecord).split(setup.records.split).shards
        # The first process asks the teachers; the others find the answers.
        with fabric.rank_zero_first():
            answers = (
                ask_teachers(teachers, shards, setup.records, setup.indices, pairs, params, cache, fabric.device)
                if teachers
                else {}
            )
        metrics = _train(params, setup, answers, pairs, out, folder, fabric, on_epoch)
    if not params.compare_hard:
        return metrics
    alone = RunFolder(folder.path / HARD_LABELS)
    alone.path.mkdir(exist_ok=True)

    def on_other_epoch(epoch: int, values: Mapping[str, float]) -> None:
        on_epoch(epoch, {f"{HARD_LABELS}/{name}": value for name, value in values.items()})

    untaught = without_teachers(params)
    other = prepare_student(untaught, tfrecord, split)
    _train(untaught, other, {}, pairs, alone.path / "out", alone, fabric, on_other_epoch)
    fabric.barrier()  # until the first process has written both
    return metrics | measure_gain(out, alone.path / "out", setup.validation)


def _train(
    params: DistillationParams,
    setup: TrainingSetup,
    answers: Mapping[str, TeacherAnswers],
    pairs: Pairs | None,
    out: Path,
    folder: RunFolder,
    fabric: Fabric,
    on_epoch: OnEpoch,
) -> dict[str, Any]:
    network, spec = setup.network, setup.network.spec
    if params.feature_weight and answers:
        dims = {name: teacher.dim for name, teacher in answers.items()}
        network = replace(network, trained=ProjectedStudent(network.module, dims, params.seed))
    labels = torch.from_numpy(setup.labels).to(fabric.device)
    dataset = ViewDataset(
        setup.records,
        spec,
        build_transforms(params.transforms),
        params.seed,
        views=params.views,
        pairs=pairs,
        sides=params.image_sizes,
    )
    balances = make_balances(spec, params.loss, setup.class_counts, fabric.device)
    loss = DistillationLoss(spec, labels, params, answers, pairs, balances)
    task = TrainingTask(dataset, setup.order, loss, setup.validation, setup.class_counts)
    return train_network(network, params, task, out, folder=folder, fabric=fabric, on_epoch=on_epoch)
