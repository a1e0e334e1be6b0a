"""The rows are the specification: labels, and which of them may be one."""

import unicodedata

import pytest

from fieldguide.survey.spelling import find_misspellings, find_twins


@pytest.mark.parametrize(
    ("labels", "twins"),
    [
        (["Aster alpinus", "aster alpinus"], [("Aster alpinus", "aster alpinus")]),
        (["Aster alpinus", "Aster_alpinus", "Aster-alpinus"], [("Aster alpinus", "Aster-alpinus", "Aster_alpinus")]),
        (["Aster  alpinus", "Aster alpinus "], [("Aster  alpinus", "Aster alpinus ")]),
        (["Aster bellidiastrum", "Aster bellidiastrum"], []),
        (["Isoëtes", "Isoetes"], [("Isoetes", "Isoëtes")]),
        (["Isoëtes", unicodedata.normalize("NFD", "Isoëtes")], [(unicodedata.normalize("NFD", "Isoëtes"), "Isoëtes")]),
        (["Aster alpinus", "Bellis perennis"], []),
    ],
)
def test_case_accents_and_signs_make_no_other_name(labels: list[str], twins: list[tuple[str, ...]]):
    assert find_twins(labels) == twins


@pytest.mark.parametrize(
    ("first", "second", "is_found"),
    [
        pytest.param("Bellis perennis", "Bellis perenis", True, id="left out"),
        pytest.param("Bellis perennis", "Bellis perennnis", True, id="added"),
        pytest.param("Bellis perennis", "Bellis perannis", True, id="another"),
        pytest.param("Bellis perennis", "Belils perennis", True, id="swapped"),
        pytest.param("Bellis perennis", "Bellis perenni", True, id="the last"),
        pytest.param("Bellis perennis", "Aellis perennis", True, id="the first"),
        pytest.param("Bellis perennis", "Bellis peranis", False, id="two steps"),
        pytest.param("Bellis perennis", "Belilsp erennis", False, id="swapped twice"),
        pytest.param("Bellis perennis", "bellis_perennis", False, id="the same once folded"),
        pytest.param("Aster", "Astor", False, id="short"),
        pytest.param("species 11", "species 12", False, id="numbers"),
    ],
)
def test_one_letter_may_be_a_slip(first: str, second: str, is_found: bool):
    others = ["Aster alpinus", "Rosa canina"]
    assert bool(find_misspellings([*others, first, second])) is is_found
