"""What a training begins with: photos, classes and labels, and that a photo teaches every rank at which it is known."""

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import torch

from fieldguide.errors import ParamsError, TrainingError
from fieldguide.learn.labels import UNKNOWN
from fieldguide.learn.losses import LabelLoss
from fieldguide.learn.network import save_network
from fieldguide.learn.setup import TrainingSetup, prepare_training
from fieldguide.learn.training_params import TeacherParams
from tests.learn.making import make_network, teacher_section


def prepare(tfrecord: Path, min_samples: dict[str, int] | None = None, **changes: Any) -> TrainingSetup:
    options = {name: changes.pop(name) for name in ("region", "split", "start") if name in changes}
    params = TeacherParams.model_validate(teacher_section(**changes))
    return prepare_training(params, tfrecord, None, views=None, min_samples=min_samples, **{"region": None, **options})


def pull(setup: TrainingSetup, index: int, scale: float = 1.0) -> dict[str, torch.Tensor]:
    """By rank, the gradient of the loss of one photo at logits of 0: [classes]."""
    spec = setup.network.spec
    weights = {"species": scale, "genus": 0.5 * scale}
    logits = torch.zeros(1, spec.num_outputs, requires_grad=True)
    loss = LabelLoss(spec, torch.from_numpy(setup.labels), weights, 0.0)
    loss(logits, torch.tensor([0]), torch.tensor([index])).backward()
    assert logits.grad is not None
    return dict(zip(spec.ranks, logits.grad[0].split(spec.class_counts), strict=True))


def test_a_photo_of_other_teaches_its_genus(tfrecord: Path):
    setup = prepare(tfrecord)
    index = int(np.flatnonzero(setup.labels[:, 0] == 0)[0])
    assert index in setup.indices
    found = pull(setup, index)
    classes = setup.network.spec.classes
    assert classes["species"][int(found["species"].argmin())] == "other"
    assert classes["genus"][int(found["genus"].argmin())] == "Aster"


def test_a_class_with_few_photos_teaches_its_genus_alone(tfrecord: Path):
    setup = prepare(tfrecord, min_samples={"species": 9})
    assert setup.network.spec.classes == {"species": ["other", "Linum nudum"], "genus": ["other", "Aster", "Linum"]}
    assert len(setup.indices) == 48
    index = int(np.flatnonzero(setup.labels[:, 0] == UNKNOWN)[0])
    found = pull(setup, index)
    assert not found["species"].any()
    assert found["genus"].any()
    assert (setup.validation.labels[:, 0] != UNKNOWN).all()


def test_only_the_ratio_of_the_ranks_weights_counts(tfrecord: Path):
    setup = prepare(tfrecord)
    index = int(setup.indices[0])
    for rank, gradient in pull(setup, index).items():
        assert torch.allclose(gradient, pull(setup, index, scale=10)[rank])


def test_a_trial_sees_all_classes(tfrecord: Path):
    setup = prepare(tfrecord, max_samples=10)
    assert len(setup.indices) == len(setup.validation.indices) == 10
    assert set(setup.labels[setup.indices, 0]) == set(range(5))
    assert prepare(tfrecord, max_samples=10).indices.tolist() == setup.indices.tolist()
    assert prepare(tfrecord, max_samples=10, seed=18).indices.tolist() != setup.indices.tolist()


def test_the_small_set_is_what_is_learnt_from(tfrecord: Path, tmp_path: Path):
    whole = prepare(tfrecord)
    marked = whole.records.photo_ids[::3]
    pl.DataFrame({"photo_id": marked}).write_parquet(tmp_path / "train_small.parquet")
    small = prepare(tfrecord, train_set="small", split=tmp_path)
    assert [small.records.photo_ids[index] for index in small.indices] == marked
    assert small.validation.indices.tolist() == whole.validation.indices.tolist()
    with pytest.raises(ParamsError, match="this stage is not told where the split is; expected all"):
        prepare(tfrecord, train_set="small")


def test_the_weights_of_another_teacher_take_the_place_of_ones_own(tfrecord: Path, tmp_path: Path):
    (tmp_path / "a").mkdir()
    save_network(make_network(seed=3), tmp_path / "a")
    absent = {"from": "file", "path": "absent.pth", "sha256": None, "licence": None}
    network = prepare(tfrecord, start=tmp_path / "a", weights=absent, region="north").network
    assert (network.spec.weights["from"], network.spec.weights["name"]) == ("teacher", "a")
    assert torch.equal(
        network.module.state_dict()["conv_stem.weight"], make_network(seed=3).module.state_dict()["conv_stem.weight"]
    )
    with pytest.raises(TrainingError, match=r"b/model\.json is missing; has training finished\?"):
        prepare(tfrecord, start=tmp_path / "b")


def test_a_rank_that_there_is_not_has_no_limit(tfrecord: Path):
    with pytest.raises(ParamsError, match=r"min_samples names order; expected some of \['species', 'genus'\]"):
        prepare(tfrecord, min_samples={"order": 3})
