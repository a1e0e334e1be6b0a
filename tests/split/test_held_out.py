"""What is held out, what goes with it, and what lists may say."""

import logging
from pathlib import Path

import polars as pl
import pytest

from fieldguide.catalogue.schema import photo_id
from fieldguide.errors import CatalogueError
from fieldguide.split.held_out import find_unseen, hold_out
from fieldguide.split.params import HeldOutParams

NOTHING = HeldOutParams(unseen_fraction=0, unseen=None, seen=None)
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
    assert hold_out(PHOTOS, {"Aster rarus"}, None)["split"].to_list() == ["unseen", None, "val", "test", "test"]
    assert hold_out(PHOTOS, set(), None).equals(PHOTOS)


@pytest.mark.parametrize("name", [photo_id("flora", "17"), "u5", "17"])
def test_a_seen_photo_is_held_out_by_any_of_its_names(
    tmp_path: Path, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "seen.txt").write_text(f"# held out\n{name}\ns3\n")
    held = hold_out(PHOTOS, set(), tmp_path / "seen.txt")
    assert held["split"].to_list() == ["train", "train", "seen", None, "seen"]
    assert not caplog.records


def test_a_fraction_is_drawn_by_name_and_a_list_adds_to_it(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    labels = [f"Genus s{i}" for i in range(2000)]
    drawn = find_unseen(labels, NOTHING.model_copy(update={"unseen_fraction": 0.2}), "salt")
    assert 320 < len(drawn) < 480
    assert {name for name in drawn if name in labels[:50]} == find_unseen(
        labels[:50], NOTHING.model_copy(update={"unseen_fraction": 0.2}), "salt"
    )
    (tmp_path / "rare.txt").write_text("Genus s1\n\nNobody knows\n")
    with caplog.at_level(logging.WARNING):
        listed = find_unseen(labels, NOTHING.model_copy(update={"unseen": tmp_path / "rare.txt"}), "salt")
    assert listed == {"Genus s1"}
    assert "1 of 2 lines match nothing, as 'Nobody knows'" in caplog.text


def test_a_missing_list_is_named(tmp_path: Path) -> None:
    params = NOTHING.model_copy(update={"unseen": tmp_path / "none.txt"})
    with pytest.raises(CatalogueError, match=r"none\.txt is missing; split\.held_out names it"):
        find_unseen(["a"], params, "salt")
    (tmp_path / "latin.txt").write_bytes(b"\xe9")
    with pytest.raises(CatalogueError, match=r"latin\.txt: not valid UTF-8"):
        hold_out(PHOTOS, set(), tmp_path / "latin.txt")
