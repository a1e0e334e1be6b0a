"""Student and teachers are shown the same image: of a photo or of a pair, at any size."""

import numpy as np
import pytest
import torch

from fieldguide.learn.dataset import PhotoDataset, load_batches
from fieldguide.learn.pairs import Pairs
from fieldguide.learn.training_params import MixParams
from fieldguide.learn.transforms import build_transforms
from fieldguide.learn.views import ViewDataset
from fieldguide.records.reader import RecordSet
from tests.learn.making import TRANSFORMS, make_network

TRANSFORM = build_transforms(TRANSFORMS)
SPEC = make_network().spec


@pytest.fixture
def plain(train: RecordSet) -> PhotoDataset:
    return PhotoDataset(train, SPEC, TRANSFORM, 17)


def test_views_come_round(train: RecordSet, plain: PhotoDataset):
    images, views, indices, _ = ViewDataset(train, SPEC, TRANSFORM, 17, views=2).load([(5, 3), (5, 4)])
    assert (views.tolist(), indices.tolist()) == ([1, 1], [3, 4])
    assert torch.equal(images, plain.load([(1, 3), (1, 4)])[0])


@pytest.mark.parametrize("workers", [0, 1])
def test_a_pair_is_both_of_its_photos(train: RecordSet, plain: PhotoDataset, workers: int):
    pairs = Pairs(MixParams(alpha=1.0, probability=0.5), len(train), np.arange(len(train)), 17)
    dataset = ViewDataset(train, SPEC, TRANSFORM, 17, views=2, pairs=pairs)
    keys = [(1, index) for index in range(12)]
    ((images, _, _, boxes),) = load_batches(dataset, [keys], workers)
    assert boxes is None
    view = pairs.of_view(1)
    assert 0 < (view.shares[:12] < 1).sum() < 12
    for index, image in enumerate(images):
        share = float(view.shares[index])
        below, above = plain[1, index][0], plain[1, int(view.mates[index])][0]
        torch.testing.assert_close(image.float(), share * below + (1 - share) * above, atol=0.51, rtol=0)


def test_of_a_pair_that_counts_which_is_photo_in_both(train: RecordSet):
    pairs = Pairs(MixParams(alpha=1.0, probability=0.5), len(train), np.arange(len(train)), 17)
    masking = SPEC.model_copy(update={"mask_padding": True})
    keys = [(1, index) for index in range(12)]
    boxes = ViewDataset(train, masking, TRANSFORM, 17, views=2, pairs=pairs).load(keys)[3]
    own, view = PhotoDataset(train, masking, TRANSFORM, 17), pairs.of_view(1)
    assert boxes is not None
    for index, box in enumerate(boxes.tolist()):
        shown = [index] if view.shares[index] == 1 else [index, int(view.mates[index])]
        found = np.array([own.load([(1, each)])[3].tolist()[0] for each in shown])
        assert box == [*found.max(axis=0)[:2], *found.min(axis=0)[2:]]


def test_images_grow_with_the_epochs(train: RecordSet):
    dataset = ViewDataset(train, SPEC, None, 17, views=2, sides=[(2, 16), (1, 24)])
    assert [dataset.load([(epoch, 0)])[0].shape[-1] for epoch in range(5)] == [16, 16, 24, 32, 32]
