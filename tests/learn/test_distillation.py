"""Teachers are asked about the very views that the student sees, and their answers are exact but for float16."""

from pathlib import Path

import numpy as np
import pytest
import torch

from fieldguide.learn.checkpoint import RunFolder
from fieldguide.learn.dataset import PhotoDataset
from fieldguide.learn.distillation import (
    DistillationLoss,
    TeacherFeatures,
    cache_teacher_features,
)
from fieldguide.learn.labels import map_labels
from fieldguide.learn.losses import LabelLoss, share_classes, soft_loss
from fieldguide.learn.network import Network, split_logits
from fieldguide.learn.params import DistillationParams
from fieldguide.learn.transforms import build_transforms
from fieldguide.records.reader import RecordSet
from fieldguide.records.torch.augmentation import resize
from fieldguide.records.torch.loading import to_input
from tests.learn.making import TRANSFORMS, make_network, student_section
from tests.records.making import TAXONOMY

TRANSFORM = build_transforms(TRANSFORMS)
PARAMS = DistillationParams.model_validate(student_section())
INDICES = np.arange(3, 40)
VIEWS, CHOSEN = torch.tensor([0, 1, 1]), torch.tensor([3, 3, 30])


@pytest.fixture
def teacher() -> Network:
    network = make_network(seed=9, image_size=48)
    network.module.eval()
    return network


@pytest.fixture
def answers(teacher: Network, train: RecordSet, tmp_path: Path) -> TeacherFeatures:
    return ask(teacher, train, tmp_path)


def ask(teacher: Network, train: RecordSet, folder: Path) -> TeacherFeatures:
    return cache_teacher_features(
        teacher,
        train,
        INDICES,
        TRANSFORM,
        PARAMS,
        "global",
        RunFolder(folder),
        torch.device("cpu"),
    )


def test_the_teacher_sees_the_students_crop_at_its_own_size(
    teacher: Network, answers: TeacherFeatures, train: RecordSet
):
    student = PhotoDataset(train, make_network().spec, TRANSFORM, PARAMS.seed)
    found = answers.logits(VIEWS, CHOSEN)
    for row, (view, index) in enumerate(zip(VIEWS.tolist(), CHOSEN.tolist(), strict=True)):
        crop = resize(student[view, index][0][None], (48, 48))
        with torch.inference_mode():
            inputs = to_input(crop, teacher.spec.mean, teacher.spec.std)
            expected = split_logits(teacher.module(inputs), teacher.spec)
        for rank in TAXONOMY.ranks:
            torch.testing.assert_close(found[rank][row], expected[rank][0], atol=5e-3, rtol=0)


def test_the_loss_is_the_weighted_sum_of_both_words(answers: TeacherFeatures, train: RecordSet):
    spec = make_network().spec
    labels = torch.from_numpy(map_labels(train, spec.classes, spec.ranks))
    logits = torch.randn(3, spec.num_outputs, generator=torch.Generator().manual_seed(0))
    found = DistillationLoss(spec, labels, PARAMS, {"global": answers})(logits, VIEWS, CHOSEN)
    hard = LabelLoss(spec, labels, PARAMS.rank_weights, PARAMS.label_smoothing)(logits, VIEWS, CHOSEN)
    said = answers.logits(VIEWS, CHOSEN)
    soft = {
        rank: soft_loss(part, [said[rank]], [share_classes(names, names)], [1.0], labels[CHOSEN][:, column], 3.0)
        for column, (rank, part) in enumerate(split_logits(logits, spec).items())
        for names in [spec.classes[rank]]
    }
    expected = 0.7 * (1.0 * soft["species"] + 0.5 * soft["genus"]) / 1.5 + 0.3 * hard
    torch.testing.assert_close(found, expected)


def test_without_teachers_only_the_labels_count(train: RecordSet):
    spec = make_network().spec
    labels = torch.from_numpy(map_labels(train, spec.classes, spec.ranks))
    logits = torch.randn(3, spec.num_outputs, generator=torch.Generator().manual_seed(0))
    hard = LabelLoss(spec, labels, PARAMS.rank_weights, PARAMS.label_smoothing)(logits, VIEWS, CHOSEN)
    torch.testing.assert_close(DistillationLoss(spec, labels, PARAMS, {})(logits, VIEWS, CHOSEN), 0.3 * hard)


def test_features_that_a_killed_run_finished_are_taken_unless_they_are_damaged(
    answers: TeacherFeatures, train: RecordSet, tmp_path: Path
):
    assert answers.features.shape == (2 * len(INDICES), 1280)
    assert {path.name for path in tmp_path.iterdir()} == {"teacher-global.npy", "teacher-global.npy.xxh3"}
    another, kept = make_network(seed=10, image_size=48), answers.features.copy()
    np.testing.assert_array_equal(ask(another, train, tmp_path).features, kept)
    content = bytearray((tmp_path / "teacher-global.npy").read_bytes())
    content[-100] ^= 1
    (tmp_path / "teacher-global.npy").write_bytes(content)
    assert np.abs(ask(another, train, tmp_path).features - kept).max() > 0.01
