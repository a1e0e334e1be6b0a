"""What is held out, what goes with it, and what lists may say."""

import logging
from pathlib import Path

import polars as pl
import pytest

from fieldguide.catalogue.schema import photo_id
from fieldguide.catalogue.splits import Split
from fieldguide.errors import CatalogueError
from fieldguide.split.held_out import find_whole, hold_out
from fieldguide.split.params import HeldOutParams

NOTHING = HeldOutParams(unseen_fraction=0, unseen=None, seen=None, blank=[])
PHOTOS = pl.DataFrame(
    {
        "photo_id": ["p1", "p2", "p3", "p4", photo_id("flora", "17")],
        "source": ["fungi", "fungi", "flora", "flora", "flora"],
        "sha256": ["s1", "s2", "s3", "s4", None],
        "url": ["u1", "u2", "u3", "u4", "u5"],
        "label": ["Aster rarus", "Aster alpinus", "Aster alpinus", "Aster alpinus", "Bellis minor"],
        "group_id": ["g1", "g1", "g3", "g4", "g4"],
        "split": ["train", "train", "val", "test", "test"],
    }
)


def test_an_unseen_species_is_held_out_and_what_stands_beside_it_left_out() -> None:
    assert hold_out(PHOTOS, {"Aster rarus": Split.UNSEEN}, None)["split"].to_list() == [
        "unseen",
        None,
        "val",
        "test",
        "test",
    ]
    assert hold_out(PHOTOS, {}, None).equals(PHOTOS)


@pytest.mark.parametrize("name", [photo_id("flora", "17"), "u5", "17"])
def test_a_seen_photo_is_held_out_by_any_of_its_names(
    tmp_path: Path, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "seen.txt").write_text(f"# held out\n{name}\ns3\n")
    held = hold_out(PHOTOS, {}, tmp_path / "seen.txt")
    assert held["split"].to_list() == ["train", "train", "seen", None, "seen"]
    assert not caplog.records


def test_a_fraction_is_drawn_by_name_and_a_list_adds_to_it(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    labels = [f"Genus s{i}" for i in range(2000)]
    drawn = find_whole(labels, NOTHING.model_copy(update={"unseen_fraction": 0.2}), "salt")
    assert 320 < len(drawn) < 480
    first = find_whole(labels[:50], NOTHING.model_copy(update={"unseen_fraction": 0.2}), "salt")
    assert {name: Split.UNSEEN for name in drawn if name in labels[:50]} == first
    (tmp_path / "rare.txt").write_text("Genus s1\n\nNobody knows\n")
    with caplog.at_level(logging.WARNING):
        listed = find_whole(labels, NOTHING.model_copy(update={"unseen": tmp_path / "rare.txt"}), "salt")
    assert listed == {"Genus s1": Split.UNSEEN}
    assert "1 of 2 names match nothing, as 'Nobody knows'" in caplog.text


def test_photos_of_no_organism_are_no_species(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    params = NOTHING.model_copy(update={"unseen_fraction": 0.99, "blank": ["blank", "fire truck"]})
    whole = find_whole(["blank", *(f"Genus s{i}" for i in range(20))], params, "salt")
    assert whole["blank"] == Split.BLANK
    assert list(whole.values()).count(Split.UNSEEN) > 15
    assert "split.held_out.blank: 1 of 2 names match nothing, as 'fire truck'" in caplog.text
    held = hold_out(PHOTOS, {"Bellis minor": Split.BLANK}, None)
    # What shows the same subject an hour later gives the place away.
    assert held["split"].to_list() == ["train", "train", "val", None, "blank"]


def test_a_missing_list_is_named(tmp_path: Path) -> None:
    params = NOTHING.model_copy(update={"unseen": tmp_path / "none.txt"})
    with pytest.raises(CatalogueError, match=r"none\.txt is missing; split\.held_out names it"):
        find_whole(["a"], params, "salt")
    (tmp_path / "latin.txt").write_bytes(b"\xe9")
    with pytest.raises(CatalogueError, match=r"latin\.txt: not valid UTF-8"):
        hold_out(PHOTOS, {}, tmp_path / "latin.txt")
