"""The rows are the specification: a parameter or a file that is wrong, and the problem that is told."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from fieldguide.catalogue.sources.columns import Columns
from fieldguide.preflight.checks import check_consistency, check_sections
from fieldguide.preflight.data import check_classes, check_lists, check_sources, check_taxonomy
from fieldguide.preflight.finding import Finding
from fieldguide.preflight.setting import Setting
from tests.preflight.conftest import Write, problems


def check_data(setting: Setting) -> Iterator[Finding]:
    for check in (check_sections, check_consistency, check_sources, check_classes, check_taxonomy, check_lists):
        yield from check(setting)


def test_nothing_is_wrong(write: Write):
    findings = list(check_data(write()))
    assert problems(findings) == []
    assert [finding.text for finding in findings] == ["fetch.sources.flora: 8 photos, 2 classes"]


FLORA = "fetch.sources.flora"


@pytest.mark.parametrize(
    ("overrides", "problem"),
    [
        (["embed.review.truth=gone.json"], r"^embed\.review\.truth: gone\.json is missing$"),
        (["resize.quality=101"], r"key 'resize\.quality': .* got 101"),
        (
            ["distill_student.head_init=linear_probe"],
            r"distill_student\.head_init is linear_probe, but its weights are",
        ),
        ([f"{FLORA}.roots=[nowhere]"], rf"{FLORA}: nowhere is missing"),
        (
            [f"{FLORA}.pattern='x(?P<label>.)'"],
            rf"{FLORA}: flora: no photo found; left out 8 x photo that does not match",
        ),
        ([f"{FLORA}.fill.licence=null"], r"clean\.production_only keeps none of 8 photos: no licence among them"),
        (["split.group_by=[observations]"], r"split\.group_by: no column 'observations'; expected one of photo_id,"),
        (["split.given=given_split"], r"split\.given: 8 of 8 photos name no split; expected one for each"),
        (["split.given=subset"], r"split\.given: no column 'subset'; expected one of"),
        (["split.min_samples=5"], r"split\.min_samples 5 leaves 0 of 2 classes"),
        (["train_teacher.global.region=NORTH"], r"train_teacher\.global\.region: no photo is in NORTH; .* none at all"),
        (["split.taxonomy={path: none.csv, columns: {}, vernacular: [], synonyms: null}"], r"none\.csv is missing"),
        (["clean.replacements=none.csv"], r"clean\.replacements: none\.csv is missing"),
        (["split.held_out.unseen=none.txt"], r"split\.held_out\.unseen: none\.txt is missing"),
        (["fetch.regions.polygons={path: none.json, name: n}"], r"fetch\.regions\.polygons: none\.json is missing"),
    ],
)
def test_what_is_wrong_is_told(write: Write, overrides: list[str], problem: str):
    found = problems(check_data(write(*overrides)))
    assert any(re.match(problem, text) for text in found), found


def test_data_that_was_not_pulled_is_a_problem(write: Write):
    setting = write()
    Path("data.dvc").write_text("outs: []")
    assert problems(check_sources(setting)) == [
        "data is missing, which fetch depends on; `dvc pull data.dvc` brings it"
    ]
    Path("data").mkdir()
    assert problems(check_sources(setting)) == []


def test_several_problems_are_all_told(write: Write):
    found = problems(check_data(write("resize.quality=101", f"{FLORA}.roots=[nowhere]", "clean.replacements=none.csv")))
    assert len(found) == 3


def test_a_taxonomy_that_knows_no_label_is_a_problem(write: Write):
    taxonomy = "split.taxonomy={path: taxonomy.csv, columns: {}, vernacular: [], synonyms: null}"
    findings = list(check_taxonomy(write(taxonomy)))
    assert [finding.text for finding in findings] == ["taxonomy.csv: 1 of 2 labels are in it; not 'Rosa canina'"]
    Path("taxonomy.csv").write_text("species\nBellis perennis\n")
    assert problems(check_taxonomy(write(taxonomy))) == [
        "taxonomy.csv: none of 2 labels is in it, such as 'Aster alpinus'"
    ]


def test_photos_that_are_not_there_or_are_none(write: Write):
    for number in range(2):
        Path("flora/Rosa canina", f"{number}.jpg").write_bytes(b"<html>")
    found = problems(check_sources(write()))
    assert found == [
        f"{FLORA}: 2 of 8 sampled files are no photos, such as flora/Rosa canina/0.jpg; "
        "more than max_failure_rate 0.01 allows"
    ]
    assert problems(check_sources(write("clean.max_failure_rate=0.25"))) == []


COLUMNS = dict.fromkeys(Columns.model_fields)
NO_FILL = {"region": None, "licence": "CC0", "rights_holder": None}


def with_source(write: Write, **source: object) -> Setting:
    params = write().params
    params["fetch"]["sources"] = {"rows": {"fill": NO_FILL, "root": None, **source}}
    Path("params.yaml").write_text(json.dumps(params))
    return Setting.read(Path("params.yaml"))


def table(write: Write, *rows: dict[str, str]) -> Setting:
    """A setting whose source is a table of these rows."""
    Path("rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    columns = COLUMNS | {"url": "file", "label": "name"}
    return with_source(write, kind="observations", path="rows.jsonl", columns=columns, explode=None)


def test_rows_of_one_id_are_a_problem(write: Write):
    row = {"file": "flora/Rosa canina/1.jpg", "name": "Rosa canina"}
    assert problems(check_sources(table(write, row, row))) == [
        "fetch.sources.rows: 1 rows have the id of another, such as 'flora/Rosa canina/1.jpg'"
    ]


def test_a_column_that_no_row_has_is_a_problem(write: Write):
    (found,) = problems(check_sources(table(write, {"file": "flora/Rosa canina/1.jpg"})))
    assert found.startswith("fetch.sources.rows: rows.jsonl: no row has a column 'name'")


def test_a_database_is_not_asked_but_its_variables_are_looked_up(write: Write, monkeypatch: pytest.MonkeyPatch):
    setting = with_source(
        write,
        kind="sql",
        url="postgresql://reader:$PLANTS_PASSWORD@host/plants",
        query="SELECT 1 ORDER BY 1",
        columns=COLUMNS | {"url": "url"},
        batch_size=10,
    )
    (found,) = problems(check_sources(setting))
    assert "the environment has no PLANTS_PASSWORD" in found
    monkeypatch.setenv("PLANTS_PASSWORD", "secret")
    (finding,) = check_sources(setting)
    assert finding == Finding(False, "fetch.sources.rows: a source of kind sql that only fetch itself asks")
