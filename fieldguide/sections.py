"""The model of every section of params.yaml, and the check of a whole file. Nothing here imports a framework."""

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from fieldguide.clean.params import CleanParams
from fieldguide.consistency import check_consistency
from fieldguide.errors import ParamsError, show_value
from fieldguide.evaluate.params import EvaluateParams
from fieldguide.export.params import ExportTfjsParams
from fieldguide.fetch.params import FetchParams
from fieldguide.learn.params import EmbedParams
from fieldguide.learn.student_params import DistillationParams
from fieldguide.learn.training_params import TeacherParams
from fieldguide.params import Section, describe
from fieldguide.records.params import ResizeParams, TfrecordParams
from fieldguide.split.params import SplitParams

SECTIONS: dict[str, type[Section]] = {
    "fetch": FetchParams,
    "clean": CleanParams,
    "split": SplitParams,
    "resize": ResizeParams,
    "tfrecord": TfrecordParams,
    "embed": EmbedParams,
    "train_teacher": TeacherParams,
    "distill_student": DistillationParams,
    "evaluate": EvaluateParams,
    "export_tfjs": ExportTfjsParams,
}
"""In the order of the pipeline."""

BY_NAME = frozenset({"train_teacher"})
"""Sections that hold several entries of their model, by names of the user's choice."""


def check_params(params: Mapping[str, Any], where: str = "params.yaml") -> None:
    """Refuse a params file of which a section is missing, unknown, not as its model wants it, or against another one.

    Raises ParamsError on one line that begins with `where` and names every wrong key.
    """
    problems = [
        f"section '{name}' is unknown; expected one of {', '.join(SECTIONS)}" for name in params.keys() - SECTIONS
    ]
    for name, model in SECTIONS.items():
        if name not in params:
            problems.append(f"section '{name}' is missing")
        elif name not in BY_NAME:
            problems += _problems(model, name, params[name])
        elif not isinstance(params[name], Mapping) or not params[name]:
            problems.append(
                f"section '{name}' holds {show_value(params[name])}; expected at least one entry, by its name"
            )
        else:
            problems += [
                line for key, entry in params[name].items() for line in _problems(model, f"{name}.{key}", entry)
            ]
    if problems:
        raise ParamsError(f"{where}: {'; '.join(problems)}")
    check_consistency(params, where, whole=True)


def _problems(model: type[Section], section: str, content: Any) -> list[str]:
    try:
        model.model_validate(content)
    except ValidationError as error:
        return [describe(error, section, model, content)]
    return []
