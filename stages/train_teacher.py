"""Train one teacher: a network that knows all classes, or those of one region."""

from pathlib import Path

import torch

from fieldguide import tracking
from fieldguide.learn.checkpoint import make_fingerprint
from fieldguide.learn.dataset import PhotoDataset
from fieldguide.learn.device import prepared_device
from fieldguide.learn.lesson import prepare_lesson
from fieldguide.learn.losses import LabelLoss
from fieldguide.learn.optimisation import TrainingParams
from fieldguide.learn.training import Task, train_network
from fieldguide.learn.transforms import build_transforms
from fieldguide.stage import Metrics, run_stage


class TeacherParams(TrainingParams):
    """One entry of the `train_teacher` section of params.yaml."""

    region: str | None
    """Learn from the photos and the classes of this region only; null: all."""


def train_teacher(
    params: TeacherParams, *, teacher: str, tfrecord: Path, embed: Path, split: Path, out: Path
) -> Metrics:
    """Write model.safetensors, last.safetensors, history.csv and model.json of the teacher named `teacher`."""
    lesson = prepare_lesson(params, tfrecord, split, embed, region=params.region, views=None)
    spec = lesson.network.spec
    fingerprint = make_fingerprint({**params.model_dump(mode="json"), "weights": spec.weights}, tfrecord)
    with prepared_device(params.precision, params.workers) as fabric:
        labels = torch.from_numpy(lesson.labels).to(fabric.device)
        task = Task(
            PhotoDataset(lesson.records, spec, build_transforms(params.transforms), params.seed),
            lesson.order,
            LabelLoss(spec, labels, params.rank_weights, params.label_smoothing),
            lesson.validation,
        )
        metrics = train_network(
            lesson.network, params, task, out, fabric=fabric, fingerprint=fingerprint, on_epoch=tracking.log_epoch
        )
    return {**metrics, **lesson.counts()}


if __name__ == "__main__":
    run_stage(train_teacher, variant="teacher")
