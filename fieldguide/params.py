"""Reads one stage's section of params.yaml into a frozen, checked model.

params.yaml is the only place that holds defaults: section models declare types and limits, never values.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.composer import Composer

from fieldguide.errors import ParamsError, show_value

PARAMS_FILE = Path("params.yaml")


class Section(BaseModel):
    """Base of every stage's parameters: immutable, and an unknown key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True, allow_inf_nan=False)


SectionT = TypeVar("SectionT", bound=Section)

Side = Annotated[int, Field(gt=0, le=8192)]
"""Of a square image, px."""


def read_params(file: Path = PARAMS_FILE) -> dict[str, Any]:
    """All of params.yaml as plain data. Raises ParamsError as `read_yaml` does."""
    if not file.exists():
        raise ParamsError(f"{file} is missing; run from the repository's root")
    content: dict[str, Any] = read_yaml(file, "safe")
    return content


def read_yaml(file: Path, kind: Literal["safe", "rt"]) -> Any:
    """A file that holds a mapping in YAML 1.2, as DVC reads it: `NO` is a text and 1e-3 a number.

    `rt` keeps comments. Raises ParamsError if the file is missing, not a mapping, or holds anchors or aliases.
    """
    yaml = YAML(typ=kind, pure=True)
    yaml.Composer = _WithoutAliases
    try:
        content = yaml.load(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ParamsError(f"{file} is missing") from None
    except OSError as error:
        raise ParamsError(f"{file} cannot be read: {error.strerror}") from None
    except _AliasError as error:
        raise ParamsError(f"{file} {error}") from None
    except RecursionError:
        raise ParamsError(f"{file} is nested too deep") from None
    except Exception as error:  # of whatever kind: a parser of hostile text raises more than it documents
        raise ParamsError(f"{file} is not valid YAML: {' '.join(str(error).split())}") from None
    if not isinstance(content, dict):
        raise ParamsError(f"{file} holds a {type(content).__name__}; expected one section per stage")
    return content


class _AliasError(Exception):
    pass


class _WithoutAliases(Composer):
    """`dvc exp run -S` writes into anchors and aliases, and loses values without a word."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        event = self.parser.peek_event()
        if anchor := getattr(event, "anchor", None):
            line = event.start_mark.line + 1
            raise _AliasError(
                f"line {line}: anchor or alias '{anchor}', in which `dvc exp run -S` loses values; "
                "expected every value in full, as `python -m fieldguide preset` writes it"
            )
        return super().compose_node(parent, index)


def paths_in(content: Any) -> Iterator[Path]:
    """Every path in a section, or in a mapping or sequence of sections, in its order."""
    if isinstance(content, Path):
        yield content
    elif isinstance(content, BaseModel):
        yield from paths_in(dict(content))
    elif isinstance(content, Mapping):
        yield from paths_in(list(content.values()))
    elif isinstance(content, list | tuple):
        for part in content:
            yield from paths_in(part)


def load_section(model: type[SectionT], section: str, file: Path = PARAMS_FILE) -> SectionT:
    """The section named by a dotted path (`resize`, `train_teacher.global`) as an instance of `model`.

    Raises ParamsError naming the key, what it holds and what is allowed.
    """
    return pick_section(model, section, read_params(file), str(file))


def pick_section(
    model: type[SectionT], section: str, params: Mapping[str, Any], where: str = str(PARAMS_FILE)
) -> SectionT:
    """`load_section` from what a file called `where` holds."""
    content: Any = params
    walked: list[str] = []
    for part in section.split("."):
        if not isinstance(content, Mapping) or part not in content:
            allowed = ", ".join(map(str, content)) if isinstance(content, Mapping) else "a mapping"
            parent = ".".join(walked) or "the top level"
            raise ParamsError(f"{where}: no section '{part}' at {parent}; found {allowed}")
        content = content[part]
        walked.append(part)
    try:
        return model.model_validate(content)
    except ValidationError as error:
        raise ParamsError(f"{where}: {describe(error, section, model, content)}") from None


def describe(error: ValidationError, section: str, model: type[BaseModel], content: Any) -> str:
    """A pydantic error about the `content` of a section as one line: every wrong key, what it got, what is allowed."""
    problems = []
    for problem in error.errors(include_url=False):
        key = ".".join((section, *_walk(problem["loc"], content)))
        if problem["type"] == "extra_forbidden":
            known = f"those that `python -m fieldguide params {section}` lists"
            if len(problem["loc"]) == 1:
                known = ", ".join(sorted(model.model_fields))
            problems.append(f"key '{key}' is unknown; expected one of {known}")
        elif problem["type"] == "missing":
            problems.append(f"key '{key}' is missing")
        else:
            # A rule about several keys gets the whole section; what is wrong with it stands in the message.
            got = "" if isinstance(problem["input"], dict) else f"; got {show_value(problem['input'])}"
            problems.append(f"key '{key}': {problem['msg'].removeprefix('Value error, ')}{got}")
    return "; ".join(problems)


def _walk(location: Sequence[str | int], content: Any) -> Iterator[str]:
    """The keys that lead to a problem, without the kind that pydantic names where a mapping may be of several."""
    for number, part in enumerate(location, start=1):
        if isinstance(content, Mapping):
            if number < len(location) and part not in content:
                continue
            content = content.get(part)
        elif isinstance(content, list) and isinstance(part, int) and part < len(content):
            content = content[part]
        yield str(part)
