"""Features are written whole, and a killed run goes on where it stood."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch

from fieldguide.errors import TrainingError
from fieldguide.learn import embedding
from fieldguide.learn.checkpoint import RunFolder
from fieldguide.learn.dataset import Key, PhotoDataset
from fieldguide.learn.embedding import write_features
from fieldguide.learn.network import extract_prelogits
from fieldguide.records.reader import RecordSet
from fieldguide.records.torch.loading import to_input
from tests.learn.making import make_network


@pytest.fixture
def dataset(train: RecordSet, monkeypatch: pytest.MonkeyPatch) -> PhotoDataset:
    monkeypatch.setattr(embedding, "BATCHES_PER_PIECE", 2)
    return PhotoDataset(train, make_network().spec)


class KilledError(Exception):
    pass


class StopsAfter(PhotoDataset):
    """A dataset whose reader is killed when `left` photos have been read."""

    left = 0

    def load(self, keys: Sequence[Key]):
        for _ in keys:
            if self.left == 0:
                raise KilledError
            self.left -= 1
        return super().load(keys)


def write(dataset: PhotoDataset, path: Path) -> None:
    keys = [(0, index) for index in range(18)]
    module = make_network().module
    path.parent.mkdir(exist_ok=True)
    write_features(module, dataset, keys, path, folder=RunFolder(path.parent), batch_size=4, workers=0)


def test_features_are_prelogits_in_order(dataset: PhotoDataset, tmp_path: Path):
    write(dataset, tmp_path / "train.npy")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["train.npy", "train.npy.xxh3"]
    found = np.load(tmp_path / "train.npy")
    assert (found.dtype, found.shape) == (np.float16, (18, 1280))
    module = make_network().module.eval()
    with torch.inference_mode():
        inputs = to_input(dataset[0, 17][0][None], dataset.spec.mean, dataset.spec.std)
        expected = extract_prelogits(module, inputs)[0].numpy()
    np.testing.assert_allclose(found[17], expected, atol=2e-3)


@pytest.mark.parametrize("left", [0, 7, 8, 9, 17])
def test_a_killed_run_keeps_its_pieces(dataset: PhotoDataset, tmp_path: Path, left: int):
    write(dataset, tmp_path / "undisturbed/train.npy")
    stopping = StopsAfter(dataset.records, dataset.spec)
    stopping.left = left
    again = tmp_path / "killed/train.npy"
    with pytest.raises(KilledError):
        write(stopping, again)
    assert not again.exists()
    stopping.left = 18 - left // 8 * 8
    write(stopping, again)
    assert stopping.left == 0
    assert again.read_bytes() == (tmp_path / "undisturbed/train.npy").read_bytes()


def test_a_damaged_piece_is_computed_again(dataset: PhotoDataset, tmp_path: Path):
    write(dataset, tmp_path / "undisturbed/train.npy")
    stopping = StopsAfter(dataset.records, dataset.spec)
    stopping.left = 17
    with pytest.raises(KilledError):
        write(stopping, tmp_path / "killed/train.npy")
    piece = tmp_path / "killed/train.pieces/000000000008.npy"
    content = bytearray(piece.read_bytes())
    content[-2] ^= 1
    piece.write_bytes(content)
    stopping.left = 10
    write(stopping, tmp_path / "killed/train.npy")
    assert stopping.left == 0
    assert (tmp_path / "killed/train.npy").read_bytes() == (tmp_path / "undisturbed/train.npy").read_bytes()


def test_features_beyond_float16_are_refused(dataset: PhotoDataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(embedding, "extract_prelogits", lambda module, images: torch.full((len(images), 1280), 7e4))
    with pytest.raises(TrainingError, match=r"features up to 70000, .* expected at most 65504"):
        write(dataset, tmp_path / "train.npy")
