"""Train one teacher: a network that knows all classes, or those of one region."""

from pathlib import Path

import torch

from fieldguide.files import file_sha256
from fieldguide.learn.checkpoint import open_run_folder
from fieldguide.learn.choice import choosing_files
from fieldguide.learn.dataset import PhotoDataset
from fieldguide.learn.description import BEST_FILE
from fieldguide.learn.fingerprint import make_fingerprint
from fieldguide.learn.imbalance import make_balances
from fieldguide.learn.losses import LabelLoss
from fieldguide.learn.photo_source import open_photos
from fieldguide.learn.processes import joined_processes
from fieldguide.learn.setup import prepare_training
from fieldguide.learn.training import TrainingTask, train_network
from fieldguide.learn.training_params import TeacherParams
from fieldguide.learn.transforms import build_transforms
from fieldguide.stage import Metrics, run_stage
from fieldguide.track import stage_run


def train_teacher(
    params: TeacherParams,
    *,
    teacher: str,
    tfrecord: Path,
    embed: Path,
    out: Path,
    split: Path = Path("interim/split"),
    teachers: Path = Path("models/teachers"),
    fetch: Path = Path("interim/fetch"),
) -> Metrics:
    """Write model.safetensors, last.safetensors, history.csv and model.json of the teacher named `teacher`.

    `split` is read for the small training set, and of `teachers` the one that this teacher starts from.
    `fetch` is the folder of the fetch stage, read if the input is photos. DVC is not told of it: the records say which
    photos they are, and one that is added must not train anything again.
    """
    setup = prepare_training(
        params,
        tfrecord,
        embed,
        region=params.region,
        views=None,
        split=split,
        min_samples=params.min_samples,
        start=teachers / params.init_from if params.init_from else None,
    )
    spec = setup.network.spec
    fingerprint = make_fingerprint(
        {**params.model_dump(mode="json"), "weights": spec.weights}, tfrecord, *choosing_files(params.train_set, split)
    )
    with (
        joined_processes(params.devices, params.precision, params.workers) as fabric,
        open_run_folder(f"train-teacher-{teacher}", fingerprint, fabric, params.resume) as folder,
    ):
        labels = torch.from_numpy(setup.labels).to(fabric.device)
        balances = make_balances(spec, params.loss, setup.class_counts, fabric.device)
        transform = build_transforms(params.transforms)
        dataset, skipped = PhotoDataset(setup.records, spec, transform, params.seed), None
        if params.input == "photos":
            dataset, skipped = open_photos(params, setup, transform, tfrecord, fetch, folder)
        task = TrainingTask(
            dataset,
            setup.order,
            LabelLoss(spec, labels, params.rank_weights, params.label_smoothing, balances),
            setup.validation,
            setup.class_counts,
        )
        metrics = train_network(
            setup.network, params, task, out, folder=folder, fabric=fabric, on_epoch=stage_run.log_epoch
        )
        num_skipped = {"num_skipped": skipped.num_photos} if skipped else {}
        fabric.barrier()  # until the first process has written the files
    # By which a teacher that starts from this one sees in DVC that it is another one.
    weights = {"weights_sha256": file_sha256(out / BEST_FILE)}
    return {**metrics, **setup.counts(), **num_skipped, **weights}


if __name__ == "__main__":
    run_stage(train_teacher, variant="teacher")
