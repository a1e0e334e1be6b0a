"""The space in which a network sees its training photos: what is near it, what is far, and its files."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.special import logsumexp

from fieldguide.errors import ExportError
from fieldguide.evaluate.familiar import NUM_DIRECTIONS, Familiar, read_familiar, write_familiar


def draw_photos(num: int, seed: int, dim: int = 60) -> np.ndarray:
    """Photos of five classes that lie in a space of four directions, and a little beside it: float32 [num, dim]."""
    axes = np.random.default_rng(1).normal(size=(4, dim))
    draw = np.random.default_rng(seed)
    return (3 + draw.normal(size=(num, 4)) @ axes + draw.normal(scale=0.1, size=(num, dim))).astype(np.float32)


def classify(photos: np.ndarray, excitement: float = 5.0) -> np.ndarray:
    """Logits of a class that is likely and of three that are not: float32 [n, 4]."""
    draw = np.random.default_rng(len(photos))
    return np.eye(4, dtype=np.float32)[draw.integers(0, 4, len(photos))] * np.float32(excitement)


def test_what_lies_off_the_space_is_less_familiar() -> None:
    photos, asked = draw_photos(200, 2), draw_photos(50, 3)
    familiar = Familiar.of(photos, classify(photos))
    own = familiar.measure(asked, classify(asked))
    strangers = asked + np.random.default_rng(4).normal(size=(50, 60)).astype(np.float32)
    assert own.dtype == np.float32
    assert familiar.measure(strangers, classify(asked)).max() < own.min()


def test_what_excites_no_class_is_less_familiar() -> None:
    photos, asked = draw_photos(200, 2), draw_photos(50, 3)
    familiar = Familiar.of(photos, classify(photos))
    own, strange = (familiar.measure(asked, classify(asked, excitement)) for excitement in (5.0, 1.0))
    # log(e^5 + 3) - log(e + 3)
    np.testing.assert_allclose(own - strange, 3.276, atol=0.001)
    # Logits of other ranks say nothing.
    higher = np.concatenate([classify(asked), np.full((50, 3), 99, np.float32)], axis=1)
    assert np.array_equal(familiar.measure(asked, higher), own)


def test_both_count_alike_on_the_training_photos() -> None:
    photos = draw_photos(200, 2)
    familiar = Familiar.of(photos, classify(photos))
    distance = (logsumexp(classify(photos), axis=1) - familiar.measure(photos, classify(photos))).mean()
    assert distance == pytest.approx(5 - 5 / 4, rel=1e-4)


def test_it_is_the_distance_from_the_principal_components() -> None:
    photos, asked = draw_photos(200, 2), draw_photos(30, 5)
    familiar = replace(Familiar.of(photos, classify(photos)), weight=1.0)
    mean = photos.mean(axis=0)
    _, _, directions = np.linalg.svd(photos - mean, full_matrices=False)
    kept = directions[:NUM_DIRECTIONS]
    centred = asked - mean
    expected = np.linalg.norm(centred - centred @ kept.T @ kept, axis=1)
    # A direction is told in steps of a 127th of its largest number.
    nothing = np.full((30, 4), -np.log(4), np.float32)
    np.testing.assert_allclose(-familiar.measure(asked, nothing), expected, rtol=0.1)
    assert familiar.steps.shape == (NUM_DIRECTIONS, 60)
    np.testing.assert_allclose(familiar.directions @ familiar.directions.T, np.eye(NUM_DIRECTIONS), atol=0.02)


@pytest.mark.parametrize("num", [1, 2, 5])
def test_few_photos_have_a_small_space(num: int) -> None:
    photos, asked = draw_photos(num, 2), draw_photos(50, 3)
    familiar = Familiar.of(photos, classify(photos))
    assert len(familiar.scales) == num - 1
    assert familiar.measure(asked, classify(asked)).mean() < familiar.measure(photos, classify(photos)).mean() - 1


def test_files_hold_it_as_it_is(tmp_path: Path) -> None:
    assert read_familiar(tmp_path) is None
    photos, asked = draw_photos(200, 2), draw_photos(9, 3)
    familiar = Familiar.of(photos, classify(photos))
    write_familiar(familiar, tmp_path, "net/pool")
    read = read_familiar(tmp_path)
    assert read
    assert np.array_equal(read.measure(asked, classify(asked)), familiar.measure(asked, classify(asked)))
    assert '"prelogits": "net/pool"' in (tmp_path / "familiar.json").read_text()


def test_malformed_files_are_refused(tmp_path: Path) -> None:
    write_familiar(Familiar.of(draw_photos(200, 2), classify(draw_photos(200, 2))), tmp_path)
    (tmp_path / "familiar.bin").write_bytes(b"short")
    with pytest.raises(ExportError, match=r"familiar\.bin has 5 bytes; expected 2288"):
        read_familiar(tmp_path)
    (tmp_path / "familiar.bin").unlink()
    with pytest.raises(ExportError, match=r"familiar\.bin is missing"):
        read_familiar(tmp_path)
    (tmp_path / "familiar.json").write_text('{"dim": 0, "num_directions": 1, "num_classes": 4, "weight": 1}')
    with pytest.raises(ExportError, match=r"familiar\.json: dim: "):
        read_familiar(tmp_path)
