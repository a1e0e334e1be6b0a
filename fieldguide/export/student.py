"""What the evaluation found of a network, for whoever answers with it."""

import json
from collections.abc import Iterable
from pathlib import Path

from pydantic import BaseModel, ConfigDict, NonNegativeFloat, PositiveFloat, ValidationError

from fieldguide.errors import ExportError
from fieldguide.evaluate.rules import Rules

NAME = "student"
"""The student among the networks that were evaluated."""

UNPROVEN_CONFIDENCE = 0.6
"""How sure an answer of a network must be that was not evaluated."""


class Evaluation(BaseModel):
    """A network's entry in the evaluation's calibration.json."""

    model_config = ConfigDict(frozen=True, extra="allow")

    temperatures: dict[str, PositiveFloat]
    """By rank."""
    rules: Rules | None = None
    """When it answers."""
    max_error: float | None = None
    """The share of photos that this lets get a wrong taxon, if it was measured."""
    set_target: float | None = None
    """The share of photos whose short list holds the true class."""
    fusion_exponent: NonNegativeFloat = 0.0
    """How much surer several photos of one subject are than one (evaluate/fusion.py)."""

    def temperatures_of(self, ranks: Iterable[str]) -> dict[str, float]:
        """By rank; 1.0 where none was fitted."""
        return {rank: self.temperatures.get(rank, 1.0) for rank in ranks}

    def rules_of(self, ranks: Iterable[str]) -> Rules:
        """When it answers; as sure as UNPROVEN_CONFIDENCE where that was not measured."""
        return self.rules or Rules.unproven(ranks, UNPROVEN_CONFIDENCE)

    @property
    def rates(self) -> dict[str, float]:
        """The numbers beside the temperatures, by name."""
        found = self.model_extra or {}
        return {name: float(value) for name, value in found.items() if isinstance(value, int | float)}


UNCALIBRATED = Evaluation(temperatures={})


def read_evaluation(reports: Path, name: str = NAME) -> Evaluation:
    """What the evaluation found of the network `name`: UNCALIBRATED where it left no calibration.json.

    Raises ExportError.
    """
    path = reports / "calibration.json"
    try:
        content = json.loads(path.read_bytes())
    except FileNotFoundError:
        return UNCALIBRATED
    except ValueError as error:
        raise ExportError(f"{path} is no JSON: {error}") from None
    try:
        return Evaluation.model_validate(content.get(name) if isinstance(content, dict) else None)
    except ValidationError as error:
        raise ExportError(f"{path}: no temperatures above 0 for '{name}': {error.errors()[0]['msg']}") from None
