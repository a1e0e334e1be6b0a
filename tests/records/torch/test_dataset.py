"""RecordDataset: every photo with its label, in batches that depend on seed, epoch and rank alone."""

import io
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch.utils.data import DataLoader
from torchvision.transforms import v2

from fieldguide.errors import RecordError
from fieldguide.records import RecordDataset
from fieldguide.records.reader import RecordSet

FLIP = v2.RandomHorizontalFlip(0.5)


@pytest.fixture
def train(finished: Path) -> RecordDataset:
    return RecordDataset(finished, "train", 24, transform=[FLIP, v2.RandomResizedCrop(24)], seed=3)


def test_an_item_is_the_photo_and_its_label(finished: Path):
    dataset, records = RecordDataset(finished, "val", 32, rank="genus"), RecordSet.open(finished, "val")
    assert (len(dataset), dataset.classes) == (7, ["other", "Aster", "Linum"])
    for index, record in enumerate(records):
        image, label = dataset[index]
        expected = Image.open(io.BytesIO(record.image)).convert("RGB")
        assert np.array_equal(image.permute(1, 2, 0).numpy(), np.asarray(expected))
        assert label == record.labels["genus"]


def test_serves_any_loader(finished: Path):
    loader = DataLoader(RecordDataset(finished, "val", 24, transform=FLIP), batch_size=4, shuffle=True)
    assert [tuple(images.shape) for images, _ in loader] == [(4, 3, 24, 24), (3, 3, 24, 24)]


def test_evaluation_shows_every_photo_once_whatever_the_ranks(finished: Path):
    dataset = RecordDataset(finished, "val", 24)
    whole = torch.cat([images for images, _ in dataset.batches(3)])
    ranks = [batch for rank in (0, 1) for batch in dataset.batches(3, share=(rank, 2), workers=rank)]
    assert torch.equal(torch.cat([images for images, _ in ranks]), whole)
    assert torch.cat([labels for _, labels in ranks]).tolist() == dataset.labels.tolist()


def test_taken_up_with_other_workers_the_rest_is_the_same(train: RecordDataset):
    whole = list(train.batches(8, epoch=1, workers=0))
    rest = list(train.batches(8, epoch=1, step=2, workers=2))
    assert len(whole) == 5
    for (images, labels), (same_images, same_labels) in zip(whole[2:], rest, strict=True):
        assert torch.equal(images, same_images)
        assert torch.equal(labels, same_labels)


def test_ranks_share_the_batches_of_one(train: RecordDataset):
    alone = list(train.batches(8, epoch=0))
    parts = [list(train.batches(4, epoch=0, share=(rank, 2))) for rank in (0, 1)]
    for (images, _), *of_ranks in zip(alone, *parts, strict=True):
        assert torch.equal(images, torch.cat([part for part, _ in of_ranks]))


def test_epochs_differ_in_order_and_in_view(train: RecordDataset):
    first, second = (next(iter(train.batches(40, epoch=epoch))) for epoch in (0, 1))
    assert first[1].tolist() != second[1].tolist()
    assert sorted(first[1].tolist()) == sorted(second[1].tolist())
    assert not torch.equal(train[0, 5][0], train[1, 5][0])


def test_an_unknown_rank_is_one_line(finished: Path):
    with pytest.raises(RecordError, match="has no rank 'family'; expected one of species, genus"):
        RecordDataset(finished, "val", 24, rank="family")
