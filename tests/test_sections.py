"""Every parameter has a meaning, and a params file is checked as a whole."""

from typing import Any

import pytest

from fieldguide.errors import ParamsError
from fieldguide.presets import expand, load_overlay, set_values
from fieldguide.sections import SECTIONS, check_params


@pytest.mark.parametrize("section", SECTIONS)
def test_every_field_says_what_it_means(section: str):
    schema = SECTIONS[section].model_json_schema()
    models = {section: schema, **schema.get("$defs", {})}
    silent = [
        f"{model}.{name}"
        for model, content in models.items()
        for name, field in content.get("properties", {}).items()
        if not field.get("description")
    ]
    assert silent == []


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("clean.min_side=0", "key 'clean.min_side': Input should be greater than 0; got 0"),
        ("train_teacher.regional.epochs=many", "key 'train_teacher.regional.epochs': .*; got 'many'"),
        ("train_teacher.global.weights.from=hubs", "key 'train_teacher.global.weights': .*'hubs'.*'scratch'"),
        ("fetch.sources.flora.kind=table", "key 'fetch.sources.flora': .*'table'.*'observations'"),
        ("fetch.sources.flora.columns.url=null", "key 'fetch.sources.flora.columns.url'"),
        ("train_teacher.global.rank_weights={species: 0, genus: 0, family: 0}", "teach nothing"),
        ("distill_student.teachers={regional: -1}", "key 'distill_student.teachers.regional'"),
    ],
)
def test_a_wrong_value_is_one_line(override: str, message: str):
    params = expand(load_overlay("sample"))
    set_values(params, [override])
    with pytest.raises(ParamsError, match=message) as caught:
        check_params(params, "mine")
    assert str(caught.value).startswith("mine: ")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"train_teacher": {}}, "section 'train_teacher' holds {}; expected at least one entry, by its name"),
        ({"train_teacher": None}, "section 'train_teacher' holds None"),
        ({"evaluate": 3}, "key 'evaluate': .*got 3"),
        ({"training": {}}, "section 'training' is unknown; expected one of fetch, "),
    ],
)
def test_a_wrong_section_is_one_line(change: dict[str, Any], message: str):
    params = {**expand(load_overlay("sample")), **change}
    with pytest.raises(ParamsError, match=message):
        check_params(params)


def test_a_missing_section_is_named():
    params = expand(load_overlay("sample"))
    del params["resize"]
    with pytest.raises(ParamsError, match=r"^params\.yaml: section 'resize' is missing$"):
        check_params(params)
