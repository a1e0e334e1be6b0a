"""Batches are mixed as drawn, and labels in the same shares as pixels."""

from typing import Any

import pytest
import torch

from fieldguide.learn.mixing import Mix, draw_mix
from fieldguide.learn.training_params import TrainingParams
from tests.learn.making import training_section

MIXUP, CUTMIX = {"alpha": 0.4, "probability": 0.3}, {"alpha": 1.0, "probability": 0.5}


def params(**changes: Any) -> TrainingParams:
    return TrainingParams.model_validate(training_section(**changes))


def test_mixup_blends_each_photo_with_the_one_before_it():
    images = torch.arange(3.0).view(3, 1, 1, 1).expand(3, 3, 4, 4).clone()
    mixed = Mix(0.75, None).blend(images)
    torch.testing.assert_close(mixed[:, 0, 0, 0], torch.tensor([0.5, 0.75, 1.75]))


def test_cutmix_pastes_a_part_of_the_one_before_it():
    images = torch.arange(3.0).view(3, 1, 1, 1).expand(3, 3, 4, 4).clone()
    mixed = Mix(12 / 16, (0, 1, 2, 3)).blend(images)
    expected = torch.tensor([[1.0, 0, 0, 1], [1, 0, 0, 1], [1, 1, 1, 1], [1, 1, 1, 1]])
    torch.testing.assert_close(mixed[1], expected.expand(3, 4, 4))


def test_labels_come_with_their_shares():
    parts = [(labels.tolist(), share) for labels, share in Mix(0.75, None).parts(torch.tensor([[1, 5], [2, 6]]))]
    assert parts == [([[1, 5], [2, 6]], 0.75), ([[2, 6], [1, 5]], 0.25)]


def test_what_is_drawn_depends_on_seed_epoch_and_batch_alone():
    both = params(mixup=MIXUP, cutmix=CUTMIX)
    places = [(epoch, batch) for epoch in range(20) for batch in range(20)]
    drawn = [draw_mix(both, *place) for place in places]
    assert drawn == [draw_mix(both, *place) for place in places]
    assert drawn != [draw_mix(params(mixup=MIXUP, cutmix=CUTMIX, seed=18), *place) for place in places]
    boxes = [mix.box for mix in drawn if mix and mix.box]
    assert sum(mix is not None and mix.box is None for mix in drawn) / 400 == pytest.approx(0.3, abs=0.06)
    assert len(boxes) / 400 == pytest.approx(0.5, abs=0.06)
    for mix in drawn:
        assert mix is None or 0 <= mix.share <= 1
        if mix and mix.box:
            top, left, bottom, right = mix.box
            assert 0 <= top <= bottom <= 32
            assert 0 <= left <= right <= 32
            assert mix.share == 1 - (bottom - top) * (right - left) / 32**2


def test_nothing_is_mixed_unless_asked_for():
    assert {draw_mix(params(), 0, batch) for batch in range(50)} == {None}


def test_probabilities_leave_room_for_each_other():
    with pytest.raises(ValueError, match=r"mixup and cutmix have probabilities of 1\.2 together"):
        params(mixup=MIXUP | {"probability": 0.7}, cutmix=CUTMIX)
