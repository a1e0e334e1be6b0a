"""A student's training as a whole: every option learns, is taken up with the same bits, and leaves a plain network."""

from pathlib import Path
from typing import Any

import pytest
from safetensors.torch import load_file, save_file

from fieldguide.errors import TrainingError
from fieldguide.learn.checkpoint import open_run_folder
from fieldguide.learn.device import prepared_device
from fieldguide.learn.distillation import DistillationLoss
from fieldguide.learn.fingerprint import make_fingerprint
from fieldguide.learn.network import load_network, save_network
from fieldguide.learn.student import prepare_student, train_student
from fieldguide.learn.student_params import DistillationParams
from fieldguide.learn.teachers import Teacher
from tests.learn.making import largest_difference, make_network, student_section

EVERYTHING = {
    "feature_weight": 0.5,
    "standardize": True,
    "decoupled": {"alpha": 1.0, "beta": 2.0},
    "mix": {"alpha": 1.0, "probability": 0.5},
    "compare_hard": True,
    "image_sizes": [[1, 16]],
    "epochs": 2,
}


class KilledError(Exception):
    pass


@pytest.fixture(scope="module")
def teachers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Teacher]:
    folder = tmp_path_factory.mktemp("teacher")
    save_network(make_network(seed=9), folder)
    return {"global": Teacher.load(folder)}


def train(
    tfrecord: Path, teachers: dict[str, Teacher], out: Path, curves: list[set[str]] | None = None, **changes: Any
) -> dict[str, Any]:
    params = DistillationParams.model_validate(student_section(**changes))
    setup = prepare_student(params, tfrecord)
    fingerprint = make_fingerprint(params.model_dump(mode="json"), tfrecord)
    with (
        prepared_device(params.precision, 0) as fabric,
        open_run_folder(out.name, fingerprint, fabric) as folder,
    ):
        return train_student(
            params,
            setup,
            tfrecord,
            None,
            teachers,
            out,
            folder=folder,
            fabric=fabric,
            on_epoch=lambda _, values: None if curves is None else curves.append(set(values)),
        )


@pytest.fixture(scope="module")
def everything(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """All options at once, on a backbone whose weights a probe can build on."""
    path = tmp_path_factory.mktemp("weights") / "w.safetensors"
    save_file(make_network(seed=3).module.state_dict(), path)
    weights = {"from": "file", "path": str(path), "sha256": None, "licence": None}
    return {**EVERYTHING, "head_init": "linear_probe", "weights": weights}


@pytest.fixture(scope="module")
def undisturbed(
    tfrecord: Path,
    teachers: dict[str, Teacher],
    everything: dict[str, Any],
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[Path, dict[str, Any]]:
    out = tmp_path_factory.mktemp("student")
    curves: list[set[str]] = []
    metrics = train(tfrecord, teachers, out, curves, **everything)
    # Those of both students have names of their own.
    assert curves == [curves[0]] * 2 + [{f"hard-labels/{name}" for name in curves[0]}] * 2
    return out, metrics


def test_no_projector_is_saved(undisturbed: tuple[Path, dict[str, Any]]):
    out, _ = undisturbed
    assert load_file(out / "model.safetensors").keys() == make_network().module.state_dict().keys()
    assert load_network(out).spec.num_parameters == make_network().spec.num_parameters


def test_the_gain_has_an_interval(undisturbed: tuple[Path, dict[str, Any]]):
    _, metrics = undisturbed
    assert metrics["gain_over_hard_labels"] == pytest.approx(metrics["val_top1"] - metrics["val_top1_hard_labels"])
    low, high = (metrics[f"gain_over_hard_labels_{end}"] for end in ("low", "high"))
    assert low <= metrics["gain_over_hard_labels"] <= high


# 6 batches an epoch, 12 of the student, then 12 of the one without teachers; a checkpoint every second.
@pytest.mark.parametrize("stop_after", [5, 16])
def test_taken_up_in_either_training_the_bits_are_the_same(
    tfrecord: Path,
    teachers: dict[str, Teacher],
    tmp_path: Path,
    undisturbed: tuple[Path, dict[str, Any]],
    everything: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
    stop_after: int,
):
    call, steps = DistillationLoss.__call__, 0

    def counting(self: DistillationLoss, *batch: Any) -> Any:
        nonlocal steps
        steps += 1
        if steps == stop_after:
            raise KilledError
        return call(self, *batch)

    monkeypatch.setattr(DistillationLoss, "__call__", counting)
    with pytest.raises(KilledError):
        train(tfrecord, teachers, tmp_path, **everything)
    metrics = train(tfrecord, teachers, tmp_path, **everything)
    assert steps == stop_after + 24 - (stop_after - 1) // 2 * 2
    out, expected = undisturbed
    assert metrics == expected
    for file in ("model.safetensors", "last.safetensors"):
        assert largest_difference(load_file(out / file), load_file(tmp_path / file)) == 0.0
    assert (out / "history.csv").read_bytes() == (tmp_path / "history.csv").read_bytes()


def test_features_alone_teach(tfrecord: Path, teachers: dict[str, Teacher], tmp_path: Path):
    train(tfrecord, teachers, tmp_path, soft_weight=0.0, hard_weight=0.0, feature_weight=1.0, warmup_epochs=0, epochs=3)
    losses = [float(row.split(",")[2]) for row in (tmp_path / "history.csv").read_text().splitlines()[1:]]
    assert losses[-1] < 0.9 * losses[0]


@pytest.mark.parametrize(
    ("args", "refused"),
    [
        (
            {"dynamic_img_size": False},
            r"image_sizes has 32, but test_vit does not take images of 32 px: .*; expected \[\], sides that it takes",
        ),
        ({"dynamic_img_size": True}, None),
    ],
)
def test_smaller_images_first_need_a_network_that_takes_them(tfrecord: Path, args: dict[str, Any], refused: str | None):
    section = student_section(
        architecture="test_vit", architecture_args=args, image_size=160, image_sizes=[[1, 32]], epochs=2, transforms=[]
    )
    params = DistillationParams.model_validate(section)
    if refused is None:
        assert prepare_student(params, tfrecord).network.spec.image_size == 160
        return
    with pytest.raises(TrainingError, match=refused) as caught:
        prepare_student(params, tfrecord)
    assert "\n" not in str(caught.value)
