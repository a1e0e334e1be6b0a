"""How familiar the photos that are evaluated look to each model, by its training photos (familiar.py)."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np

from fieldguide.evaluate.answers import EvaluatedModel, concerned_photos
from fieldguide.evaluate.familiar import Familiar
from fieldguide.records.reader import RecordSet

MAX_PHOTOS: Final = 4000
"""Training photos that the space is found by."""


@dataclass
class _Measured:
    """The familiarity of records, each measured once."""

    see: Callable[[RecordSet, np.ndarray], tuple[np.ndarray, np.ndarray]]
    familiar: Familiar
    known: dict[str, np.ndarray] = field(default_factory=dict)
    """By split float32 [num_records], NaN where it was not measured."""

    def __call__(self, records: RecordSet, indices: np.ndarray) -> np.ndarray:
        found = self.known.setdefault(records.split, np.full(len(records), np.nan, np.float32))
        missing = np.unique(indices[np.isnan(found[indices])])
        if len(missing):
            found[missing] = self.familiar.measure(*self.see(records, missing))
        measured: np.ndarray = found[indices]
        return measured


def acquaint(model: EvaluatedModel, train: RecordSet) -> tuple[EvaluatedModel, Familiar | None]:
    """`model`, telling how familiar photos look to it by its training photos, and the space that says so.

    A model of which nobody knows what its classifier sees stays as it is.
    """
    indices, _ = concerned_photos(model, train)
    if model.see is None or len(indices) < 2:
        return model, None
    chosen = indices[:: -(-len(indices) // MAX_PHOTOS)]
    familiar = Familiar.of(*model.see(train, chosen))
    return replace(model, familiarity=_Measured(model.see, familiar)), familiar
