"""Teachers are asked once about the very images that the student sees, and their answers serve every later run."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from fieldguide.errors import ParamsError
from fieldguide.learn import teachers
from fieldguide.learn.answer_cache import open_answer_cache
from fieldguide.learn.network import Network, save_network, split_logits
from fieldguide.learn.pairs import Pairs
from fieldguide.learn.student_params import DistillationParams
from fieldguide.learn.teachers import Teacher, TeacherAnswers, ask_teachers
from fieldguide.learn.transforms import build_transforms
from fieldguide.learn.views import ViewDataset
from fieldguide.records.manifest import Manifest
from fieldguide.records.reader import RecordSet
from fieldguide.records.torch.augmentation import resize
from fieldguide.records.torch.drawing import to_input
from tests.learn.making import TRANSFORMS, make_network, student_section
from tests.records.making import TAXONOMY

INDICES = np.arange(3, 45)
VIEWS, CHOSEN = torch.tensor([0, 1, 1]), torch.tensor([3, 3, 41])


class Counts:
    """Images that networks were shown."""

    num = 0


@pytest.fixture
def shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Counts]:
    """Counted at the real network's first layer."""
    monkeypatch.setenv("DVC_ROOT", str(tmp_path))
    monkeypatch.setattr(teachers, "BATCH_SIZE", 8)
    monkeypatch.setattr(teachers, "BATCHES_PER_PIECE", 1)
    counts = Counts()

    def count(module: nn.Module, inputs: Any) -> None:
        # A network that is built is shown one empty image.
        if isinstance(module, nn.Conv2d) and module.in_channels == 3 and inputs[0].any():
            counts.num += len(inputs[0])

    handle = nn.modules.module.register_module_forward_pre_hook(count)
    yield counts
    handle.remove()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save(tmp_path_factory.mktemp("teacher"), 9)


def save(folder: Path, seed: int) -> Path:
    save_network(make_network(seed=seed, image_size=48), folder)
    return folder


def ask(tfrecord: Path, folder: Path, indices: np.ndarray = INDICES, **changes: Any) -> TeacherAnswers:
    params = DistillationParams.model_validate(student_section(**changes))
    records = RecordSet.open(tfrecord, "train")
    pairs = Pairs(params.mix, len(records), indices, params.seed) if params.mix else None
    shards = Manifest.read(tfrecord).split("train").shards
    with open_answer_cache(params.cache_gb) as cache:
        loaded = {"global": Teacher.load(folder)}
        return ask_teachers(loaded, shards, records, indices, pairs, params, cache, torch.device("cpu"))["global"]


@pytest.mark.parametrize("mix", [None, {"alpha": 1.0, "probability": 1.0}])
@pytest.mark.parametrize("cache", [{"kind": "prelogits", "k": 1}, {"kind": "topk", "k": 100}])
def test_the_teacher_sees_the_students_image_at_its_own_size(
    tfrecord: Path, train: RecordSet, folder: Path, shown: Counts, mix: dict[str, float] | None, cache: dict[str, Any]
):
    found = ask(tfrecord, folder, mix=mix, cache=cache).answer(VIEWS, CHOSEN).logits
    params = DistillationParams.model_validate(student_section(mix=mix))
    pairs = Pairs(params.mix, len(train), INDICES, params.seed) if params.mix else None
    spec, transform = make_network().spec, build_transforms(TRANSFORMS)
    student = ViewDataset(train, spec, transform, params.seed, views=2, pairs=pairs)
    teacher: Network = Teacher.load(folder).network
    for row, key in enumerate(zip(VIEWS.tolist(), CHOSEN.tolist(), strict=True)):
        image = resize(student.load([key])[0], (48, 48))
        with torch.inference_mode():
            expected = split_logits(teacher.module(to_input(image, teacher.spec.mean, teacher.spec.std)), teacher.spec)
        for rank in TAXONOMY.ranks:
            ours, theirs = (torch.log_softmax(each, 0) for each in (found[rank][row], expected[rank][0]))
            # Of pairs levels are rounded once more: at the student's size here, at the teacher's there.
            torch.testing.assert_close(ours, theirs, atol=0.4 if mix else 0.02, rtol=0)


@pytest.mark.parametrize("cache", [{"kind": "prelogits", "k": 1}, {"kind": "topk", "k": 100}])
def test_a_student_in_bfloat16_hears_answers_in_bfloat16(tfrecord: Path, folder: Path, cache: dict[str, Any]):
    exact, rough = (
        ask(tfrecord, folder, cache=cache, precision=precision).answer(VIEWS, CHOSEN).logits["species"].log_softmax(1)
        for precision in ("32-true", "bf16-mixed")
    )
    assert rough.dtype == torch.float32
    assert 0 < float((rough - exact).abs().mean()) < 0.1 * float(exact.std())


@pytest.mark.parametrize(
    "changes",
    [
        {"temperature": 2.0, "soft_weight": 0.1, "hard_weight": 0.9},
        {"standardize": True, "decoupled": {"alpha": 1.0, "beta": 8.0}, "feature_weight": 1.0},
        {"architecture": "mobilenetv2_050", "image_size": 32, "batch_size": 4, "epochs": 9, "learning_rate": 1.0},
        {"views": 1},
        {"image_sizes": [[1, 16]], "workers": 1, "cache_gb": 2.0},
    ],
)
def test_the_next_experiment_computes_no_answer(tfrecord: Path, folder: Path, shown: Counts, changes: dict[str, Any]):
    first = ask(tfrecord, folder)
    assert shown.num == 2 * len(INDICES)
    again = ask(tfrecord, folder, **changes)
    assert shown.num == 2 * len(INDICES)
    one = torch.zeros(2, dtype=torch.int64), torch.tensor([3, 40])
    assert torch.equal(first.answer(*one).logits["species"], again.answer(*one).logits["species"])


@pytest.mark.parametrize(
    ("changes", "num"),
    [
        ({"views": 3}, 42),
        ({"seed": 18}, 84),
        ({"transforms": TRANSFORMS[:1]}, 84),
        ({"cache": {"kind": "topk", "k": 2}}, 84),
        ({"mix": {"alpha": 1.0, "probability": 0.5}}, 84),
        ({"precision": "bf16-mixed"}, 84),
    ],
)
def test_only_what_is_new_is_asked(tfrecord: Path, folder: Path, shown: Counts, changes: dict[str, Any], num: int):
    ask(tfrecord, folder)
    shown.num = 0
    ask(tfrecord, folder, **changes)
    assert shown.num == num


def test_a_teacher_is_known_by_its_weights_not_by_its_place(
    tfrecord: Path, folder: Path, shown: Counts, tmp_path: Path
):
    ask(tfrecord, folder)
    (tmp_path / "same").mkdir()
    ask(tfrecord, save(tmp_path / "same", 9))
    assert shown.num == 84
    (tmp_path / "other").mkdir()
    ask(tfrecord, save(tmp_path / "other", 10))
    assert shown.num == 168


def test_new_photos_cost_the_pieces_that_they_are_in(tfrecord: Path, folder: Path, shown: Counts):
    # Shards of 20, 20 and 8 records, in pieces of 8.
    ask(tfrecord, folder)
    shown.num = 0
    ask(tfrecord, folder, np.arange(3, 48))
    assert shown.num == 2 * 8


def test_a_damaged_or_missing_piece_is_asked_again_and_has_the_same_bits(tfrecord: Path, folder: Path, shown: Counts):
    answers = ask(tfrecord, folder)
    first, second = answers.paths[0][0], answers.paths[1][2]
    kept = first.read_bytes(), second.read_bytes()
    first.write_bytes(kept[0][:-1] + bytes([kept[0][-1] ^ 1]))
    second.unlink()
    shown.num = 0
    ask(tfrecord, folder)
    assert shown.num == 8 + 1
    assert (first.read_bytes(), second.read_bytes()) == kept


def test_a_killed_run_keeps_what_was_answered(
    tfrecord: Path, folder: Path, shown: Counts, monkeypatch: pytest.MonkeyPatch
):
    class KilledError(Exception):
        pass

    def die(self: ViewDataset, keys: Any) -> Any:
        if shown.num >= 30:
            raise KilledError
        return load(self, keys)

    load = ViewDataset.load
    with monkeypatch.context() as patch, pytest.raises(KilledError):
        patch.setattr(ViewDataset, "load", die)
        ask(tfrecord, folder)
    before = shown.num
    ask(tfrecord, folder)
    # Five of the pieces of the first view were whole: of 8, 8, 1, 8 and 8 photos.
    assert shown.num - before == 84 - 33


def test_more_than_the_cache_may_hold_is_refused(tfrecord: Path, folder: Path, shown: Counts):
    with pytest.raises(ParamsError, match=r"cache_gb is 0\.0001, .* take 0\.000215 GB; expected at least that"):
        ask(tfrecord, folder, cache_gb=1e-4)
    assert shown.num == 0
