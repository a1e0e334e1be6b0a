"""Every photo is augmented as its own seed, view and id say, whoever asks and in whatever order."""

import random
from pathlib import Path

import numpy as np
import pytest
import torch

from fieldguide.errors import RecordError
from fieldguide.learn.dataset import PhotoDataset, chunk_keys, load_batches
from fieldguide.learn.transforms import build_transforms
from fieldguide.records.reader import RecordSet
from tests.learn.making import TRANSFORMS, make_network

JITTER = [*TRANSFORMS, {"_target_": "timm.data.transforms.RandomResizedCropAndInterpolation", "size": 32}]


@pytest.fixture
def dataset(train: RecordSet) -> PhotoDataset:
    return PhotoDataset(train, make_network().spec, build_transforms(JITTER), seed=3)


def test_an_input_depends_on_seed_view_and_photo_only(dataset: PhotoDataset):
    image, view, index = dataset[2, 7]
    assert (image.dtype, image.shape, view, index) == (torch.uint8, (3, 32, 32), 2, 7)
    torch.rand(5), np.random.rand(5), random.random()
    for other in ((2, 8), (3, 7), (0, 0)):
        assert not torch.equal(dataset[other][0], image)
    assert torch.equal(dataset[2, 7][0], image)
    dataset.seed = 4
    assert not torch.equal(dataset[2, 7][0], image)


def test_batches_are_the_same_for_any_number_of_workers(dataset: PhotoDataset):
    keys = chunk_keys(range(10), 4, view=1)
    assert [len(batch) for batch in keys] == [4, 4, 2]
    alone, helped = (list(load_batches(dataset, keys, workers)) for workers in (0, 2))
    for left, right in zip(alone, helped, strict=True):
        assert all(torch.equal(a, b) for a, b in zip(left[:3], right[:3], strict=True))


@pytest.mark.parametrize("workers", [0, 1])
def test_a_damaged_record_is_one_line(tfrecord: Path, tmp_path: Path, workers: int):
    for file in tfrecord.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    (shard,) = tmp_path.glob("test-*.tfrecord")
    content = bytearray(shard.read_bytes())
    content[len(content) // 2] ^= 255
    shard.write_bytes(content)
    dataset = PhotoDataset(RecordSet.open(tmp_path, "test"), make_network().spec)
    with pytest.raises(RecordError, match=r"^\S+test-00000-of-00001\.tfrecord at byte") as caught:
        list(load_batches(dataset, chunk_keys(range(6), 2), workers))
    assert "Traceback" not in str(caught.value)
