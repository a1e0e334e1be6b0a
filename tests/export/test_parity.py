"""How far a runtime is from PyTorch, and when that is too far."""

import numpy as np
import pytest

from fieldguide.errors import ExportError
from fieldguide.export.params import Limits
from fieldguide.export.parity import Agreement, check_agreements, compare

REFERENCE = np.array([[3, 1, 0, 9, 8], [0, 1, 2, 8, 9]], np.float32)
"""Two photos, three classes at the first rank, two at the second."""


def changed(photo: int, position: int, value: float) -> np.ndarray:
    logits = REFERENCE.copy()
    logits[photo, position] = value
    return logits


@pytest.mark.parametrize(
    ("logits", "agreement", "error"),
    [
        (REFERENCE, 1.0, 0.0),
        (changed(0, 0, 2.5), 1.0, 0.5),
        (changed(1, 0, 2.5), 0.5, 2.5),
        (changed(1, 3, 9.5), 1.0, 1.5),  # another class at the second rank, the same at the first
        (changed(0, 4, np.nan), 1.0, np.inf),
        (changed(0, 4, np.inf), 1.0, np.inf),
    ],
)
def test_agreement_is_at_the_first_rank_and_error_over_all(logits: np.ndarray, agreement: float, error: float) -> None:
    assert compare(REFERENCE, logits, num_classes=3) == Agreement(agreement, error)


def test_another_number_of_answers_is_an_error() -> None:
    with pytest.raises(ExportError, match=r"shape \(2, 4\), PyTorch with \(2, 5\)"):
        compare(REFERENCE, REFERENCE[:, :4], num_classes=3)


@pytest.mark.parametrize(
    ("found", "message"),
    [
        (Agreement(0.98, 0.1), None),
        (Agreement(0.97, 0.1), r"tfjs_node agrees .* 97\.0% of the photos, at least 98\.0%"),
        (Agreement(1.0, 0.11), r"tfjs_node is off by 0\.11 in a logit, at most 0\.1"),
        (Agreement(1.0, float("nan")), "tfjs_node is off by nan"),
        (Agreement(0.5, 2.0), r"97|50\.0%.*; tfjs_node is off by 2"),
    ],
)
def test_limits_are_inclusive_and_every_breach_is_named(found: Agreement, message: str | None) -> None:
    limits = {"tfjs_node": Limits(min_top1_agreement=0.98, max_logit_error=0.1)}
    if message is None:
        check_agreements({"tfjs_node": found}, limits)
        return
    with pytest.raises(ExportError, match=message):
        check_agreements({"tfjs_node": found}, limits)
