"""Place and season: counted by hand, never making a species impossible, and nothing where nothing is known."""

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from fieldguide.errors import ExportError
from fieldguide.evaluate import prior as prior_module
from fieldguide.evaluate.prior import (
    BACKGROUND,
    FLOOR,
    MAX_BYTES,
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


def test_cells_grow_until_the_file_is_small(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(prior_module, "MAX_BYTES", 4000)
    draw = np.random.default_rng(0)
    places = np.floor(draw.uniform(-80, 80, (3000, 2))) + 0.5
    rows = np.column_stack([places, draw.integers(1, 13, 3000)])
    found = count_occasions(draw.integers(0, 5, 3000), Occasions(*rows.T), 5)
    assert found.num_bytes <= 4000 < MAX_BYTES
    assert found.counts.sum() > 2000
    write_prior(found, "species", tmp_path)
    assert (tmp_path / "prior.bin").stat().st_size == found.num_bytes


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
