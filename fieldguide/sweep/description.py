"""A sweep's YAML file: which stages run, what is searched for, and where.

targets: [distill-student]
metric: metrics/distill-student.json:val_top1
direction: maximize
trials: 12
space:
  distill_student.learning_rate: {kind: log, low: 0.0005, high: 0.01}
"""

import copy
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, NonNegativeInt, PositiveInt, ValidationError, model_validator

from fieldguide.errors import ParamsError
from fieldguide.params import PARAMS_FILE, Section, describe, read_params, read_yaml
from fieldguide.presets import set_values
from fieldguide.sections import check_params

NAME = re.compile(r"[A-Za-z0-9_-]+")
PIPELINE_FILE = Path("dvc.yaml")

Value = str | int | float | bool | None


class Range(Section):
    """Numbers between two bounds, both among them."""

    kind: Literal["uniform", "log", "int"]
    """uniform: every number equally likely; log: its logarithm; int: whole numbers."""
    low: float
    high: float

    @model_validator(mode="after")
    def _bounds_are_in_order(self) -> "Range":
        if self.low >= self.high:
            raise ValueError(f"low {self.low:g}, high {self.high:g}; expected low below high")
        if self.kind == "log" and self.low <= 0:
            raise ValueError(f"low {self.low:g}; expected above 0 where kind is log")
        if self.kind == "int" and not (self.low.is_integer() and self.high.is_integer()):
            raise ValueError(f"low {self.low:g}, high {self.high:g}; expected whole numbers where kind is int")
        return self

    @property
    def ends(self) -> list[Value]:
        """The values that params.yaml is checked with."""
        return [int(self.low), int(self.high)] if self.kind == "int" else [self.low, self.high]


class Choice(Section):
    """One of several values."""

    kind: Literal["categorical"]
    values: list[Value] = Field(min_length=1)

    @property
    def ends(self) -> list[Value]:
        """The values that params.yaml is checked with: all."""
        return self.values


class Pruner(Section):
    """Stops a trial whose best score so far is below the median of the other trials' at the same epoch."""

    stage: str
    """Whose epochs count: distill-student, train-teacher-global."""
    curve: str
    """What of an epoch is compared: val_top1, val_loss; in the direction of the sweep."""
    first_trials: NonNegativeInt
    """Trials that are never stopped, for a median to be of."""
    first_epochs: NonNegativeInt
    """Epochs after which a trial may be stopped."""


class Sweep(Section):
    """What a sweep's file holds."""

    targets: list[str] = Field(min_length=1)
    """DVC's names of the stages that each trial runs, with all that they need and that changed."""
    metric: str = Field(pattern=r"^[^:]+\.json:[^:]+$")
    """What is searched for: a metrics file that Git holds, a colon, and the number's dotted name in it."""
    direction: Literal["maximize", "minimize"]
    trials: PositiveInt
    """In all; a sweep that is started again with more of them goes on."""
    parallel: PositiveInt
    """Trials at the same time. With more than one, a sweep that is repeated may propose other values."""
    random_trials: NonNegativeInt
    """The first trials, which are drawn from the space; the later ones are proposed from what earlier ones scored."""
    pruner: Pruner | None
    seed: NonNegativeInt
    set: dict[str, Value]
    """Parameters that all trials have instead of those in params.yaml."""
    space: dict[str, Annotated[Range | Choice, Field(discriminator="kind")]] = Field(min_length=1)
    """By dotted path in params.yaml."""

    def identity(self) -> str:
        """What must stay the same for trials to be comparable, as text."""
        kept = self.model_dump(mode="json", include={"targets", "metric", "direction", "seed", "set", "space"})
        return json.dumps(kept, sort_keys=True)


def read_sweep(file: Path) -> tuple[str, Sweep]:
    """The name and the content of a sweep's file. Raises ParamsError, saying what is wrong, before anything runs.

    params.yaml must hold every path of the space, and its models allow the ends of every range and every choice.
    """
    if not NAME.fullmatch(file.stem):
        raise ParamsError(f"{file}: the name {file.stem!r} becomes that of experiments; expected letters, digits, _, -")
    content = read_yaml(file, "safe")
    try:
        sweep = Sweep.model_validate(content)
    except ValidationError as error:
        raise ParamsError(f"{file}: {describe(error, 'sweep', Sweep, content)}") from None
    known = {*read_yaml(PIPELINE_FILE, "safe").get("stages", {})}
    if unknown := [target for target in sweep.targets if target.partition("@")[0] not in known]:
        raise ParamsError(f"{file}: target '{unknown[0]}' is unknown; expected one of {', '.join(known)}")
    if twice := sweep.set.keys() & sweep.space.keys():
        raise ParamsError(f"{file}: {min(twice)} stands in set and in space; expected one of them")
    _check_values(sweep, read_params(), file)
    return file.stem, sweep


def _check_values(sweep: Sweep, params: dict[str, Any], where: Path) -> None:
    for changes in _extremes(sweep):
        tried = copy.deepcopy(params)
        try:
            set_values(tried, overrides(changes))
            check_params(tried, str(PARAMS_FILE))
        except ParamsError as error:
            raise ParamsError(f"{where}: {str(error).removeprefix('--set ')}") from None


def _extremes(sweep: Sweep) -> Iterator[dict[str, Value]]:
    """What is set for all trials, and each value of the space that lies at an end, alone."""
    if sweep.set:
        yield sweep.set
    for path, dimension in sweep.space.items():
        for value in dimension.ends:
            yield {**sweep.set, path: value}


def overrides(values: Mapping[str, Value]) -> list[str]:
    """Values by path as `dvc exp run -S` takes them, texts in quotes: `distill_student.optimizer='sgd'`."""
    return [
        f"{path}={_quoted(value) if isinstance(value, str) else json.dumps(value)}" for path, value in values.items()
    ]


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"
