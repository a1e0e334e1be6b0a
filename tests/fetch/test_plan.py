from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fieldguide.catalogue.regions import Regions
from fieldguide.catalogue.rows import Row
from fieldguide.errors import CatalogueError
from fieldguide.fetch import plan as plan_module
from fieldguide.fetch.plan import draw_plan, number_urls

NOWHERE = Regions(polygons=None, boxes={}, countries={})


@dataclass
class Listed:
    """A source of given URLs; ids are the places in the list unless given."""

    urls: list[str]
    ids: list[str] | None = None
    root: str | None = None

    def rows(self) -> Iterator[Row]:
        for number, url in enumerate(self.urls):
            row_id = self.ids[number] if self.ids else str(number)
            yield Row(id=row_id, source_row=f"list:{number}", url=url, root=self.root, licence="CC BY 4.0")


@given(st.lists(st.integers(0, 20)))
def test_urls_are_numbered_by_first_appearance(values: list[int]) -> None:
    keys = np.array([value.to_bytes(16, "little") for value in values], "V16")
    numbers, is_first = number_urls(keys)
    order = list(dict.fromkeys(values))
    assert numbers.tolist() == [order.index(value) for value in values]
    assert is_first.tolist() == [value not in values[:index] for index, value in enumerate(values)]


def test_each_url_is_wanted_once_in_shards_of_the_asked_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plan_module, "BATCH_ROWS", 3)
    sources = {"a": Listed(["u0", "u1", "u0", "u2", "u3"]), "b": Listed(["u3", "u4", "u1"])}
    plan = draw_plan(sources, NOWHERE, 2, tmp_path)
    assert plan.url_of_row.tolist() == [0, 1, 0, 2, 3, 3, 4, 1]
    assert (plan.num_rows, plan.num_urls, plan.num_shards) == (8, 5, 3)
    assert [[item.url for item in plan.shard(number)] for number in range(3)] == [["u0", "u1"], ["u2", "u3"], ["u4"]]
    rows = [row for batch in plan.batches() for row in batch.to_pylist()]
    assert [(row["source"], row["url"]) for row in rows][4:6] == [("a", "u3"), ("b", "u3")]
    assert rows[0]["licence"] == "CC-BY-4.0"
    assert plan.shard(0)[0].photo_id == rows[0]["photo_id"]
    plan.close()


def test_one_path_under_two_roots_is_two_urls(tmp_path: Path) -> None:
    sources = {"a": Listed(["file:x/1.jpg"], root="x"), "b": Listed(["file:x/1.jpg"], root="."), "c": Listed(["u"])}
    assert draw_plan(sources, NOWHERE, 10, tmp_path).num_urls == 3


@pytest.mark.parametrize(("shrunk", "boxes"), [(False, [None, [], [1, 2, 3, 4]]), (True, [None, [], []])])
def test_shrunk_photos_keep_boxes_that_shrink_with_them(
    tmp_path: Path, shrunk: bool, boxes: list[list[float] | None]
) -> None:
    class Boxed:
        def rows(self) -> Iterator[Row]:
            for number, box in enumerate((None, (), (1, 2, 3, 4), (1, 2, 3, 4, 640, 480))):
                yield Row(id=str(number), source_row="", url=f"u{number}", root=None, box=box)

    plan = draw_plan({"a": Boxed()}, NOWHERE, 2, tmp_path, shrunk=shrunk)
    drawn = [row["box"] for batch in plan.batches() for row in batch.to_pylist()]
    assert drawn == [*boxes, [1, 2, 3, 4, 640, 480]]


def test_regions_are_found_where_the_source_names_none(tmp_path: Path) -> None:
    class Placed:
        def rows(self) -> Iterator[Row]:
            for number, region in enumerate((None, "mine")):
                yield Row(id=str(number), source_row="", url=f"u{number}", root=None, region=region, country="nl")

    regions = Regions(polygons=None, boxes={}, countries={"EU_NW": ["NL", "BE"]})
    plan = draw_plan({"a": Placed()}, regions, 2, tmp_path)
    assert [row["region"] for batch in plan.batches() for row in batch.to_pylist()] == ["EU_NW", "mine"]


def test_an_id_that_comes_twice_is_an_error(tmp_path: Path) -> None:
    sources = {"a": Listed(["u0"], ["x"]), "b": Listed(["u0", "u1", "u2"], ["x", "y", "x"])}
    with pytest.raises(CatalogueError, match="source b, list:2: the id is that of list:0 already"):
        draw_plan(sources, NOWHERE, 10, tmp_path)


def test_no_row_at_all_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(CatalogueError, match=r"no photo in any of the sources \(a, b\)"):
        draw_plan({"a": Listed([]), "b": Listed([])}, NOWHERE, 10, tmp_path)
