"""Which species are shown side by side: those that were mixed up, then those that look alike."""

from pathlib import Path

import numpy as np
import pytest

from fieldguide.errors import ExportError
from fieldguide.export.look_alikes import find_look_alikes, nearest_classes, read_mix_ups
from fieldguide.spreadsheet import write_csv

HEADER = ["actual", "predicted", "num_photos"]


def test_mix_ups_count_both_ways(tmp_path: Path) -> None:
    write_csv(tmp_path / "mix_ups.csv", HEADER, [("a", "b", 2), ("b", "a", 1), ("=c", "a", 4)])
    found = read_mix_ups(tmp_path / "mix_ups.csv")
    assert found == {"a": {"b": 3, "=c": 4}, "b": {"a": 3}, "=c": {"a": 4}}
    assert read_mix_ups(tmp_path / "absent.csv") == {}


def test_a_damaged_table_is_named(tmp_path: Path) -> None:
    write_csv(tmp_path / "mix_ups.csv", HEADER, [("a", "b", "many")])
    with pytest.raises(ExportError, match=r"mix_ups\.csv: got .*'many'.*; expected actual, predicted and num_photos"):
        read_mix_ups(tmp_path / "mix_ups.csv")


def test_what_was_mixed_up_comes_first_and_what_is_near_fills_up() -> None:
    mix_ups = {"a": {"d": 1, "b": 5, "gone": 9, "c": 1}, "b": {"a": 5}}
    nearest = {"b": ["c", "a", "d", "e"], "c": []}
    assert find_look_alikes(list("abcde"), mix_ups, nearest) == {
        "a": {"b": 5, "c": 1, "d": 1},
        "b": {"a": 5, "c": 0, "d": 0},
        "c": {},
        "d": {},
        "e": {},
    }


def test_the_nearest_are_near_at_all() -> None:
    vectors = np.float32([[1, 0], [0.8, 0.6], [0.6, 0.8], [-1, 0], [0, 0]])
    found = nearest_classes(list("abcde"), vectors)
    assert found == {"a": ["b", "c"], "b": ["c", "a"], "c": ["b", "a"], "d": [], "e": []}
    assert nearest_classes(["a"], vectors[:1]) == {"a": []}
