"""Train the small network that goes into the browser, taught by all teachers."""

from pathlib import Path

import torch

from fieldguide.learn.checkpoint import open_run_folder
from fieldguide.learn.choice import choosing_files
from fieldguide.learn.dataset import PhotoDataset
from fieldguide.learn.description import SPEC_FILE
from fieldguide.learn.distillation import DistillationLoss, cache_teacher_features
from fieldguide.learn.fingerprint import make_fingerprint
from fieldguide.learn.imbalance import make_balances
from fieldguide.learn.network import BEST_FILE, load_network
from fieldguide.learn.params import DistillationParams
from fieldguide.learn.processes import joined_processes
from fieldguide.learn.setup import prepare_training
from fieldguide.learn.training import TrainingTask, train_network
from fieldguide.learn.transforms import build_transforms
from fieldguide.stage import Metrics, run_stage
from fieldguide.track import stage_run


def distill_student(
    params: DistillationParams, *, tfrecord: Path, teachers: Path, out: Path, split: Path = Path("interim/split")
) -> Metrics:
    """Cache the teachers' features of every view of every photo, then write the student's files as a teacher's.

    `split` is read for the small training set.
    """
    setup = prepare_training(params, tfrecord, None, region=None, views=params.views, split=split)
    spec = setup.network.spec
    # Without a soft weight the teachers are not even looked at.
    names = [name for name, weight in params.teachers.items() if weight] if params.soft_weight else []
    networks = {name: load_network(teachers / name) for name in names}
    files = [teachers / name / file for name in names for file in (SPEC_FILE, BEST_FILE)]
    files += choosing_files(params.train_set, split)
    fingerprint = make_fingerprint({**params.model_dump(mode="json"), "weights": spec.weights}, tfrecord, *files)
    transform = build_transforms(params.transforms)
    with (
        joined_processes(params.devices, params.precision, params.workers) as fabric,
        open_run_folder("distill-student", fingerprint, fabric, params.resume) as folder,
    ):
        # The first process asks the teachers; the others find the answers.
        with fabric.rank_zero_first():
            features = {
                name: cache_teacher_features(
                    network, setup.records, setup.indices, transform, params, name, folder, fabric.device
                )
                for name, network in networks.items()
            }
        labels = torch.from_numpy(setup.labels).to(fabric.device)
        balances = make_balances(spec, params.loss, setup.class_counts, fabric.device)
        task = TrainingTask(
            PhotoDataset(setup.records, spec, transform, params.seed),
            setup.order,
            DistillationLoss(spec, labels, params, features, balances),
            setup.validation,
            setup.class_counts,
        )
        metrics = train_network(
            setup.network.taught_by(networks),
            params,
            task,
            out,
            folder=folder,
            fabric=fabric,
            on_epoch=stage_run.log_epoch,
        )
    return {**metrics, **setup.counts()}


if __name__ == "__main__":
    run_stage(distill_student)
