"""A survey as a whole: presets with other photographs, and tables that hold their own ranks."""

from pathlib import Path
from typing import Any

import pytest

from fieldguide.consistency import check_consistency
from fieldguide.presets import expand
from fieldguide.sections import check_params
from fieldguide.survey.survey import Request, Survey, survey
from tests.survey.conftest import Plant

LABELS = ("Aster alpinus", "Rosa canina")


def look(*photos: str, **options: Any) -> Survey:
    return survey(Request(tuple(map(Path, photos)), **options))


def in_full(result: Survey) -> dict[str, Any]:
    params = expand(result.choice.overlay)
    check_params(params)
    check_consistency(params)
    return params


@pytest.fixture
def flora(plant: Plant) -> str:
    plant(*(f"flora/{label}/{number}.jpg" for label in LABELS for number in range(6)))
    return "flora"


def test_a_preset_keeps_what_the_photographs_do_not_decide(flora: str):
    result = look(flora, preset="real-photos")
    params = in_full(result)
    assert result.schedule is None
    assert list(params["fetch"]["sources"]) == ["flora"]
    assert (params["split"]["ranks"], params["split"]["taxonomy"]) == (["species"], None)
    teacher = params["train_teacher"]["global"]
    assert (teacher["epochs"], teacher["head_init"]) == (6, "linear_probe")
    assert teacher["weights"]["path"] == "WEIGHTS/vit_tiny_patch16_224.pth"
    assert teacher["rank_weights"] == params["distill_student"]["rank_weights"] == {"species": 1.0}


def test_a_preset_keeps_its_own_weights_of_the_same_ranks(flora: str):
    Path("taxonomy.csv").write_text("species,genus,family\nAster alpinus,Aster,Asteraceae\nRosa canina,Rosa,Rosaceae\n")
    params = in_full(look(flora, preset="real-photos", taxonomy=Path("taxonomy.csv")))
    assert params["train_teacher"]["global"]["rank_weights"] == {"species": 1.0, "genus": 0.3, "family": 0.1}


def test_a_table_may_hold_the_ranks_of_its_species(flora: str):
    rows = [f"{label}/{number}.jpg,{label},{label.split()[0]}" for label in LABELS for number in range(6)]
    Path("rows.csv").write_text("\n".join(["file,species,genus", *rows]))
    params = in_full(look(flora, table=Path("rows.csv")))
    assert params["split"]["ranks"] == ["species", "genus"]
    assert params["split"]["taxonomy"]["path"] == "rows.csv"
    Path("rows.csv").write_text("\n".join(["file,species,genus", *rows, "Rosa canina/0.jpg,Rosa canina,Bellis"]))
    result = look(flora, table=Path("rows.csv"))
    assert in_full(result)["split"]["ranks"] == ["species"]
    assert "'Rosa canina' has parents" in next(each.why for each in result.choice.reasons if each.key == "split.ranks")
