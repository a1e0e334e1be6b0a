"""Train the small network that goes into the browser, taught by all teachers."""

from dataclasses import replace
from pathlib import Path

from fieldguide.learn.checkpoint import open_run_folder
from fieldguide.learn.choice import choosing_files
from fieldguide.learn.fingerprint import make_fingerprint
from fieldguide.learn.processes import joined_processes
from fieldguide.learn.student import prepare_student, train_student
from fieldguide.learn.student_params import DistillationParams
from fieldguide.learn.teachers import Teacher
from fieldguide.stage import Metrics, run_stage
from fieldguide.track import stage_run


def distill_student(
    params: DistillationParams, *, tfrecord: Path, teachers: Path, out: Path, split: Path = Path("interim/split")
) -> Metrics:
    """Ask the teachers about every view of every photo, then write the student's files as a teacher's.

    `split` is read for the small training set. Raises TrainingError where a teacher is not there or training fails.
    """
    setup = prepare_student(params, tfrecord, split)
    # Without a weight a teacher is not even looked at.
    names = [name for name, weight in params.teachers.items() if weight and params.has_teachers]
    loaded = {name: Teacher.load(teachers / name) for name in names}
    files = [file for teacher in loaded.values() for file in teacher.files] + choosing_files(params.train_set, split)
    weights = setup.network.spec.weights
    fingerprint = make_fingerprint({**params.model_dump(mode="json"), "weights": weights}, tfrecord, *files)
    taught = setup.network.taught_by({name: teacher.network for name, teacher in loaded.items()})
    with (
        joined_processes(params.devices, params.precision, params.workers) as fabric,
        open_run_folder("distill-student", fingerprint, fabric, params.resume) as folder,
    ):
        metrics = train_student(
            params,
            replace(setup, network=taught),
            tfrecord,
            split,
            loaded,
            out,
            folder=folder,
            fabric=fabric,
            on_epoch=stage_run.log_epoch,
        )
    return {**metrics, **setup.counts()}


if __name__ == "__main__":
    run_stage(distill_student)
