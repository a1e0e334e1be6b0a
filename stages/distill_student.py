"""Train the small network that goes into the browser, taught by all teachers."""

from pathlib import Path

from fieldguide.learn.checkpoint import open_run_folder
from fieldguide.learn.device import prepared_device
from fieldguide.learn.fingerprint import make_fingerprint
from fieldguide.learn.params import DistillationParams
from fieldguide.learn.student import prepare_student, train_student
from fieldguide.learn.teachers import Teacher
from fieldguide.stage import Metrics, run_stage
from fieldguide.track import stage_run


def distill_student(params: DistillationParams, *, tfrecord: Path, teachers: Path, out: Path) -> Metrics:
    """Ask the teachers about every view of every photo, then write the student's files as a teacher's.

    Raises TrainingError where a teacher is not there or training fails.
    """
    setup = prepare_student(params, tfrecord)
    # Without a weight a teacher is not even looked at.
    names = [name for name, weight in params.teachers.items() if weight and params.has_teachers]
    loaded = {name: Teacher.load(teachers / name) for name in names}
    files = [file for teacher in loaded.values() for file in teacher.files]
    weights = setup.network.spec.weights
    fingerprint = make_fingerprint({**params.model_dump(mode="json"), "weights": weights}, tfrecord, *files)
    with (
        open_run_folder("distill-student", fingerprint) as folder,
        prepared_device(params.precision, params.workers) as fabric,
    ):
        metrics = train_student(
            params, setup, tfrecord, loaded, out, folder=folder, fabric=fabric, on_epoch=stage_run.log_epoch
        )
    return {**metrics, **setup.counts()}


if __name__ == "__main__":
    run_stage(distill_student)
