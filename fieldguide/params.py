"""Reads one stage's section of params.yaml into a frozen, checked model.

params.yaml is the only place that holds defaults: section models declare types and limits, never values.
"""

from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from fieldguide.errors import ParamsError

PARAMS_FILE = Path("params.yaml")


class Section(BaseModel):
    """Base of every stage's parameters: immutable, and an unknown key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


SectionT = TypeVar("SectionT", bound=Section)


def read_params(file: Path = PARAMS_FILE) -> dict[str, Any]:
    """All of params.yaml as plain data. Raises ParamsError if the file is missing or not a mapping."""
    try:
        content = yaml.safe_load(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ParamsError(f"{file} is missing; run from the repository's root") from None
    except yaml.YAMLError as error:
        raise ParamsError(f"{file} is not valid YAML: {' '.join(str(error).split())}") from None
    if not isinstance(content, dict):
        raise ParamsError(f"{file} holds a {type(content).__name__}; expected one section per stage")
    return content


def load_section(model: type[SectionT], section: str, file: Path = PARAMS_FILE) -> SectionT:
    """The section named by a dotted path (`resize`, `train_teacher.global`) as an instance of `model`.

    Raises ParamsError naming the key, what it holds and what is allowed.
    """
    content: Any = read_params(file)
    walked: list[str] = []
    for part in section.split("."):
        if not isinstance(content, dict) or part not in content:
            allowed = ", ".join(map(str, content)) if isinstance(content, dict) else "a mapping"
            where = ".".join(walked) or "the top level"
            raise ParamsError(f"{file}: no section '{part}' at {where}; found {allowed}")
        content = content[part]
        walked.append(part)
    try:
        return model.model_validate(content)
    except ValidationError as error:
        raise ParamsError(f"{file}: {describe(error, section, model)}") from None


def describe(error: ValidationError, section: str, model: type[BaseModel]) -> str:
    """A pydantic error as one line: every wrong key, what it got, what is allowed."""
    problems = []
    for problem in error.errors(include_url=False):
        key = ".".join(str(part) for part in (section, *problem["loc"]))
        if problem["type"] == "extra_forbidden":
            known = ", ".join(sorted(model.model_fields)) if len(problem["loc"]) == 1 else "the documented keys"
            problems.append(f"key '{key}' is unknown; expected one of {known}")
        elif problem["type"] == "missing":
            problems.append(f"key '{key}' is missing")
        else:
            # A rule about several keys gets the whole section; what is wrong with it stands in the message.
            got = "" if isinstance(problem["input"], dict) else f"; got {problem['input']!r}"
            problems.append(f"key '{key}': {problem['msg'].removeprefix('Value error, ')}{got}")
    return "; ".join(problems)
