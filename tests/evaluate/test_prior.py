"""Place and season: counted by hand, never making a species impossible, and nothing where nothing is known."""

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from fieldguide.errors import ExportError
from fieldguide.evaluate.prior import (
    BACKGROUND,
    FLOOR,
    MIN_KEPT,
    PSEUDO,
    Occasions,
    Prior,
    count_occasions,
    find_angles,
)
from fieldguide.evaluate.prior_file import read_prior, write_prior

NAN = math.nan


def occasions(*rows: tuple[float, float, float]) -> Occasions:
    return Occasions(*np.array(rows, np.float64).reshape(-1, 3).T)


PHOTOS = [(0, 48.5, 16.5, 5)] * 3 + [(0, 48.5, 16.5, 6)] + [(1, 10.5, 20.5, 5)] * 4 + [(2, NAN, NAN, 5), (-1, 1, 1, 1)]


def small(**settings: float) -> Prior:
    labels = np.array([label for label, *_ in PHOTOS])
    counted = count_occasions(labels, occasions(*(row[1:] for row in PHOTOS)), 3)
    return replace(counted, strength=1.0, **settings)


def test_photos_are_counted_by_class_cell_and_month() -> None:
    found = small()
    assert list(zip(found.classes, found.month, found.counts, strict=True)) == [(0, 5, 3), (0, 6, 1), (1, 5, 4)]
    assert found.cells[found.cell].tolist() == [[48.5, 16.5], [48.5, 16.5], [10.5, 20.5]]
    assert found.totals.tolist() == [4, 4, 0]


@pytest.mark.parametrize("at", [(48.5, 16.5, 5), (48.5, 17.5, 12), (NAN, NAN, 7), (10.5, 20.5, NAN), (-60, -100, 3)])
def test_ratios_are_those_of_the_formula(at: tuple[float, float, float]) -> None:
    near, total = [0.0] * 3, [0] * 3
    for label, latitude, longitude, month in PHOTOS:
        if label < 0 or math.isnan(latitude):
            continue
        weight = 1.0
        if not math.isnan(at[0]):
            a, b = math.radians(at[0]), math.radians(latitude)
            across = math.cos(math.radians(longitude - at[1]))
            cosine = math.sin(a) * math.sin(b) + math.cos(a) * math.cos(b) * across
            weight *= math.exp(-(math.degrees(math.acos(min(1.0, cosine))) ** 2) / (2 * 2.0**2))
        if not math.isnan(at[2]):
            off = abs(month - at[2])
            weight *= math.exp(-(min(off, 12 - off) ** 2) / 2)
        near[label] += weight
        total[label] += 1
    average = sum(near) / sum(total) + BACKGROUND
    expected = [
        (w + PSEUDO * average + BACKGROUND * n) / ((n + PSEUDO) * average) for w, n in zip(near, total, strict=True)
    ]
    np.testing.assert_allclose(small(spread=2.0).ratios(*at), expected, rtol=1e-6)


def test_what_is_seen_here_is_likelier_and_nothing_is_impossible() -> None:
    here, far, unknown = small(spread=2.0).log_factors(occasions((48.5, 16.5, 5), (-60, -100, 3), (NAN, NAN, NAN)))
    assert here[0] > 0 > here[1] >= math.log(FLOOR)
    np.testing.assert_allclose(far, 0, atol=0.01)
    assert unknown.tolist() == [0, 0, 0]
    stronger = replace(small(spread=2.0), strength=50.0).log_factors(occasions((48.5, 16.5, 5)))
    assert stronger.min() == pytest.approx(math.log(FLOOR))


def test_the_longest_day_of_the_year_is_near_to_both_its_months() -> None:
    of_month = [small().ratios(NAN, NAN, month)[0] for month in (5, 6, 11, 12, 1)]
    assert of_month[1] > of_month[0]
    assert find_angles(0, 179, np.array([0]), np.array([-179])) == pytest.approx([2])


def spread_out(num_photos: int, num_classes: int) -> tuple[np.ndarray, Occasions]:
    """Photos all over the world and the year; the first classes have most of them."""
    draw = np.random.default_rng(0)
    labels = np.minimum(draw.geometric(4 / num_classes, num_photos), num_classes) - 1
    places = np.floor(draw.uniform(-80, 80, (num_photos, 2))) + 0.5
    return labels, Occasions(*places.T, draw.integers(1, 13, num_photos).astype(np.float64))


@pytest.mark.parametrize(
    ("num_classes", "max_bytes", "grain"),
    [
        (5, 200_000, None),  # all of it
        (5, 24_000, (1, 1)),
        (5, 9_000, (8, 1)),
        (5, 6_000, (16, 2)),
        (5, 2_000, (16, 3)),
        (900, 6_000, (16, 3)),  # hardly more than where each class's entries start
        (900, 3_000, (16, 3)),  # and not even that
    ],
)
def test_what_has_no_room_is_told_less_finely(
    num_classes: int, max_bytes: int, grain: tuple[int, int] | None, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    labels, occasions = spread_out(3000, num_classes)
    with caplog.at_level("INFO"):
        found = count_occasions(labels, occasions, num_classes, max_bytes)
    write_prior(found, "species", tmp_path)
    size = (tmp_path / "prior.bin").stat().st_size
    assert size == found.num_bytes <= max(max_bytes, 4 * (num_classes + 1))
    assert read_prior(tmp_path).totals.tolist() == found.totals.tolist()
    kept = found.counts.sum() / 3000
    if grain is None:
        assert kept == 1
        assert caplog.messages == []
    else:
        width, span = grain
        assert kept >= MIN_KEPT or grain == (16, 3)
        assert caplog.messages == [
            f"place and season of {num_classes} classes: {kept:.0%} of the photos fit into {max_bytes / 1000:g} kB, "
            f"in cells of {width} degrees and months taken {span} at a time"
        ]


def test_each_class_keeps_what_was_seen_most() -> None:
    """Class 0 has photos in five cells, class 1 in two, and one of it weighs less than any of class 0."""
    labels = np.repeat([0, 1], [40, 3])
    latitudes = np.repeat([10.5, 11.5, 12.5, 13.5, 14.5, 10.5, 60.5], [12, 10, 8, 6, 4, 2, 1])
    rows = Occasions(latitudes, np.full(43, 20.5), np.full(43, 5.0))
    every = count_occasions(labels, rows, 2)
    found = count_occasions(labels, rows, 2, every.num_bytes - 2 * 12)  # an entry, and its cell
    assert list(zip(found.classes, found.cells[found.cell, 0], found.counts, strict=True)) == [
        (0, 10.5, 12),
        (0, 11.5, 10),
        (0, 12.5, 8),
        (1, 10.5, 2),
        (1, 60.5, 1),
    ]


def test_the_file_holds_all_of_it(tmp_path: Path) -> None:
    written = replace(small(spread=4.0), strength=0.5)
    write_prior(written, "species", tmp_path)
    read = read_prior(tmp_path)
    at = occasions((48.5, 16.5, 5), (10, 20, NAN))
    np.testing.assert_array_equal(read.log_factors(at), written.log_factors(at))
    (tmp_path / "prior.bin").write_bytes(b"short")
    with pytest.raises(ExportError, match=r"prior\.bin has 5 bytes; expected 44"):
        read_prior(tmp_path)


def test_without_any_place_nothing_is_said(tmp_path: Path) -> None:
    empty = count_occasions(np.array([0, 1]), occasions((NAN, NAN, 3), (1, 2, NAN)), 2)
    write_prior(empty, "species", tmp_path)
    assert read_prior(tmp_path).log_factors(occasions((1, 2, 3))).tolist() == [[0, 0]]
