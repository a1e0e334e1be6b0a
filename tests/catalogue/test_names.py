"""The tables below are the specification of what is one name."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fieldguide.catalogue.names import Nearest, says_nothing, taxon_name


@pytest.mark.parametrize(
    ("text", "name"),
    [
        (unicodedata.normalize("NFD", "Isoëtes echinospora"), "Isoëtes echinospora"),
        ("Bellis\u00a0 perennis\u200b", "Bellis perennis"),
        ("Aster x frikartii", "Aster × frikartii"),
        ("Aster X frikartii", "Aster × frikartii"),
        ("Aster ×frikartii", "Aster × frikartii"),
        ("Aster × frikartii", "Aster × frikartii"),
        ("A. x frikartii", "A. × frikartii"),
        ("Salix alba x Salix fragilis", "Salix alba × Salix fragilis"),
        ("×Cuprocyparis leylandii", "× Cuprocyparis leylandii"),
        ("x Cuprocyparis leylandii", "× Cuprocyparis leylandii"),
        ("X Cuprocyparis leylandii", "× Cuprocyparis leylandii"),
        ("+ Laburnocytisus adamii", "+ Laburnocytisus adamii"),
        # where x is no sign
        ("X y", "X y"),
        ("x ray", "x ray"),
        ("Xanthium strumarium", "Xanthium strumarium"),
        ("Ulex", "Ulex"),
        ("Carex x", "Carex x"),
        ("2 x 4", "2 x 4"),
    ],
)
def test_one_form_for_all_ways_to_write_a_name(text: str, name: str) -> None:
    assert taxon_name(text) == name


@given(st.text(st.sampled_from("xX× .aÄ\u0308\u200b\x1b"), max_size=12))
def test_a_name_is_its_own_form(text: str) -> None:
    assert taxon_name(taxon_name(text)) == taxon_name(text)


@pytest.mark.parametrize(("label", "silent"), [("NA", True), ("N/A", True), ("nan", True), ("Naja naja", False)])
def test_what_names_nothing(label: str, silent: bool) -> None:
    assert says_nothing(label) is silent


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("aster_alpinus", "Aster alpinus"),
        ("Aster alpinus L.", "Aster alpinus"),
        ("Aster alpinus subsp. alpinus", "Aster alpinus"),
        ("Astre alpinus", "Aster alpinus"),
        ("Haster alpinus", "Aster alpinus"),
        ("Isoetes", "Isoëtes"),
        ("Quercus robur", None),
        ("", None),
    ],
)
def test_the_nearest_name(name: str, near: str | None) -> None:
    assert Nearest(["Aster alpinus", "Bellis perennis", "Isoëtes"]).find(name) == near
