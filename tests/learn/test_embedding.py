"""Pieces are written whole, one after the other, and joined in order."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch

from fieldguide.digests import is_sealed
from fieldguide.errors import TrainingError
from fieldguide.learn.dataset import Key, PhotoDataset
from fieldguide.learn.embedding import Piece, compute_pieces, join_pieces
from fieldguide.learn.network import extract_prelogits
from fieldguide.records.reader import RecordSet
from fieldguide.records.torch.drawing import to_input
from tests.learn.making import make_network


@pytest.fixture
def dataset(train: RecordSet) -> PhotoDataset:
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


def plan(folder: Path) -> list[Piece]:
    """18 photos in pieces of 8."""
    return [
        Piece(folder / f"{start}.npy", [(0, index) for index in range(18)][start : start + 8]) for start in (0, 8, 16)
    ]


def compute(dataset: PhotoDataset, pieces: list[Piece], forward=extract_prelogits) -> None:
    compute_pieces(make_network().module, dataset, pieces, forward, batch_size=4, workers=0, label=None)


def test_features_are_prelogits_in_order(dataset: PhotoDataset, tmp_path: Path):
    pieces = plan(tmp_path)
    compute(dataset, pieces)
    assert all(is_sealed(piece.path) for piece in pieces)
    join_pieces(pieces, tmp_path / "train.npy", 1280)
    found = np.load(tmp_path / "train.npy")
    assert (found.dtype, found.shape) == (np.float16, (18, 1280))
    module = make_network().module.eval()
    with torch.inference_mode():
        inputs = to_input(dataset[0, 17][0][None], dataset.spec.mean, dataset.spec.std)
        expected = extract_prelogits(module, inputs)[0].numpy()
    np.testing.assert_allclose(found[17], expected, atol=2e-3)


@pytest.mark.parametrize("left", [0, 7, 8, 9, 17])
def test_a_killed_run_keeps_its_pieces(dataset: PhotoDataset, tmp_path: Path, left: int):
    stopping = StopsAfter(dataset.records, dataset.spec)
    stopping.left = left
    with pytest.raises(KilledError):
        compute(stopping, plan(tmp_path))
    assert [is_sealed(piece.path) for piece in plan(tmp_path)] == [left >= 8, left >= 16, False]
    assert len(list(tmp_path.glob("*.npy"))) == left // 8


def test_what_is_written_may_be_packed_otherwise(dataset: PhotoDataset, tmp_path: Path):
    pieces = plan(tmp_path)[:1]
    module = make_network().module
    compute_pieces(
        module, dataset, pieces, extract_prelogits, batch_size=4, workers=0, label=None,
        pack=lambda values: values[:, :2].astype(np.int32),
    )  # fmt: skip
    assert (found := np.load(pieces[0].path)).shape == (8, 2)
    assert found.dtype == np.int32


def test_features_beyond_float16_are_refused(dataset: PhotoDataset, tmp_path: Path):
    with pytest.raises(TrainingError, match=r"features up to 70000, .* expected at most 65504"):
        compute(dataset, plan(tmp_path), lambda module, images: torch.full((len(images), 1280), 7e4))
