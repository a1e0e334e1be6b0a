"""Rows and files counted: what a survey knows of photographs before any parameter is chosen."""

from collections import Counter
from dataclasses import replace
from pathlib import Path

from fieldguide.catalogue.regions import Regions
from fieldguide.catalogue.rows import Row
from fieldguide.catalogue.splits import Split
from fieldguide.survey.headers import read_headers
from fieldguide.survey.tally import SAMPLED, tally_rows
from tests.survey.conftest import Plant

NORTH = Regions(polygons=None, boxes={"NORTH": (-180, 0, 180, 90)}, countries={"EU": ["FI"]})


class Rows:
    """A source of given rows."""

    def __init__(self, *rows: Row) -> None:
        self.given = rows

    def rows(self):
        yield from self.given


def row(number: int, **said: object) -> Row:
    return replace(Row(id=f"{number}", source_row=f"t:{number}", url=f"https://a.org/{number}", root=None), **said)


def test_rows_are_counted_by_what_they_say():
    tally = tally_rows(
        {
            "one": Rows(
                row(1, label="Aster", given_split="train", licence="CC BY 4.0", latitude=5.0, longitude=5.0),
                row(2, label="Aster", given_split="test", licence="CC BY-NC 4.0", country="FI"),
                row(3, licence="whatever", region="SOUTH", url="file:data/3.jpg"),
            ),
            "two": Rows(row(1, label="Bellis", given_split="train", observation_id="o1")),
        },
        NORTH,
    )
    assert (tally.num_rows, tally.is_whole) == (4, True)
    assert tally.labels == Counter({"Aster": 2, "Bellis": 1})
    assert tally.train_labels == Counter({"Aster": 1, "Bellis": 1})
    assert tally.splits == Counter({Split.TRAIN: 2, Split.TEST: 1})
    assert not tally.gives_splits
    assert tally.licences == Counter({"CC-BY-4.0": 1, "CC-BY-NC-4.0": 1, "unknown": 2})
    assert tally.num_allowed == 1
    assert tally.regions == Counter({"NORTH": 1, "EU": 1, "SOUTH": 1})
    assert (tally.said["observation_id"], tally.said["latitude"], tally.said["observer"]) == (1, 1, 0)
    assert tally.hosts == Counter({"a.org": 3, "": 1})
    assert tally.num_repeated_ids == 0


def test_a_file_in_two_rows_is_noted():
    same = {"url": "file:1.jpg"}
    tally = tally_rows({"one": Rows(row(1, label="Aster", **same), row(1, label="Aster", **same), row(2, **same))})
    assert (tally.num_repeated_ids, tally.repeated_ids) == (1, ["1"])
    assert (tally.num_two_labels, tally.two_labels) == (1, ["file:1.jpg (Aster, None)"])


def test_a_split_counts_where_every_photo_has_one():
    rows = [row(number, given_split=split) for number, split in enumerate(["train", "train", "val"])]
    assert tally_rows({"one": Rows(*rows)}).gives_splits
    assert not tally_rows({"one": Rows(*rows[:2])}).gives_splits
    assert not tally_rows({"one": Rows(*rows, row(9))}).gives_splits


def test_of_many_rows_some_are_sampled_and_no_more_counted_than_asked():
    rows = Rows(*(row(number) for number in range(SAMPLED + 100)))
    whole = tally_rows({"one": rows})
    assert whole.is_whole
    assert len({sampled.id for sampled in whole.sample}) == SAMPLED
    assert [sampled.id for sampled in whole.sample] == [each.id for each in tally_rows({"one": rows}).sample]
    part = tally_rows({"one": rows, "two": rows}, most=20)
    assert (part.num_rows, part.is_whole, len(part.sample)) == (20, False, 20)


def test_headers_tell_formats_and_sizes(plant: Plant):
    plant("1.jpg", "2.png", width=300, height=200)
    plant("3.jpg", width=100, height=120)
    Path("4.jpg").write_bytes(b"<html>")
    names = ["1.jpg", "2.png", "3.jpg", "4.jpg", "5.jpg"]
    rows = [row(number, url=f"file:{name}", root=".") for number, name in enumerate(names)]
    headers = read_headers([*rows, row(9)])
    assert headers.formats == Counter({"JPEG": 2, "PNG": 1})
    assert (headers.shorter_sides, headers.longer_sides) == ([200, 200, 100], [300, 300, 120])
    assert (headers.no_photos, headers.missing) == (["4.jpg"], ["5.jpg"])
    assert headers.max_megapixels == 0.06
    assert headers.shorter_side(50) == 200
    assert read_headers([]).shorter_side(50) is None
