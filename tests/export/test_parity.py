"""How far a runtime is from PyTorch, and when that is too far."""

import numpy as np
import pytest

from fieldguide.errors import ExportError
from fieldguide.export.params import Limits
from fieldguide.export.parity import Agreement, check_agreements, check_familiarity, compare, compare_familiarity

REFERENCE = np.array([[3, 1, 0, 9, 8], [0, 1, 2, 8, 9]], np.float32)
"""Two photos, three classes at the first rank, two at the second."""


def changed(photo: int, position: int, value: float) -> np.ndarray:
    logits = REFERENCE.copy()
    logits[photo, position] = value
    return logits


@pytest.mark.parametrize(
    ("logits", "agreement", "error", "num_near_ties"),
    [
        (REFERENCE, 1.0, 0.0, 0),
        (changed(0, 0, 2.5), 1.0, 0.5, 0),
        (changed(1, 0, 2.5), 0.5, 2.5, 0),
        (changed(1, 3, 9.5), 1.0, 1.5, 0),  # another class at the second rank, the same at the first
        (changed(0, 4, np.nan), 1.0, np.inf, 0),
        (changed(0, 4, np.inf), 1.0, np.inf, 0),
    ],
)
def test_agreement_is_at_the_first_rank_and_error_over_all(
    logits: np.ndarray, agreement: float, error: float, num_near_ties: int
) -> None:
    found = compare(REFERENCE, logits, num_classes=3, max_logit_error=0.1)
    assert found == Agreement(agreement, error, num_near_ties)


@pytest.mark.parametrize(
    ("margins", "errors", "max_logit_error", "agreement", "num_near_ties"),
    [
        pytest.param([1.0, 0.01, 0.01, 1.0], [0.0, 0.02, 0.02, 0.0], 0.5, 1.0, 2, id="flips of near-ties say nothing"),
        pytest.param([1.0, 0.01, 0.03, 1.0], [0.0, 0.02, 0.04, 0.02], 0.03, 1.0, 2, id="an error past the limit"),
        pytest.param([1.0, 0.1, 0.1, 1.0], [0.0, 0.5, 0.5, 0.0], 0.05, 0.5, 0, id="too wrong to call it rounding"),
        pytest.param([0.0, 0.0], [0.1, 0.1], 0.5, 1.0, 2, id="nothing is decided"),
    ],
)
def test_what_rounding_decides_does_not_count(
    margins: list[float], errors: list[float], max_logit_error: float, agreement: float, num_near_ties: int
) -> None:
    reference = np.array([[2 + margin, 2, 0] for margin in margins], np.float32)
    logits = reference + np.array([[0, error, 0] for error in errors], np.float32)
    found = compare(reference, logits, num_classes=3, max_logit_error=max_logit_error)
    assert (found.top1_agreement, found.num_near_ties) == (agreement, num_near_ties)


def test_a_single_class_is_always_decided() -> None:
    one = np.zeros((2, 1), np.float32)
    assert compare(one, one, num_classes=1, max_logit_error=0.1) == Agreement(1.0, 0.0, 0)


def test_another_number_of_answers_is_an_error() -> None:
    with pytest.raises(ExportError, match=r"shape \(2, 4\), PyTorch with \(2, 5\)"):
        compare(REFERENCE, REFERENCE[:, :4], num_classes=3, max_logit_error=0.1)


@pytest.mark.parametrize(
    ("found", "message"),
    [
        (Agreement(0.98, 0.1, 4), None),
        (
            Agreement(0.97, 0.1, 4),
            r"tfjs_node agrees .* 97\.0% of the photos \(4 near-ties left out\), at least 98\.0% .*quantization",
        ),
        (
            Agreement(1.0, 0.11, 4),
            r"tfjs_node is off by 0\.11 in a logit, at most 0\.1 .*limits.tfjs_node.max_logit_error allows it",
        ),
        (Agreement(1.0, float("nan"), 4), "tfjs_node is off by nan"),
        (Agreement(0.5, 2.0, 4), r"97|50\.0%.*; tfjs_node is off by 2"),
    ],
)
def test_limits_are_inclusive_and_every_breach_is_named(found: Agreement, message: str | None) -> None:
    limits = {"tfjs_node": Limits(min_top1_agreement=0.98, max_logit_error=0.1)}
    if message is None:
        check_agreements({"tfjs_node": found}, limits)
        return
    with pytest.raises(ExportError, match=message):
        check_agreements({"tfjs_node": found}, limits)


def test_a_page_that_refuses_other_photos_is_no_guide() -> None:
    reference = np.array([3.0, 1.0, 2.0, 5.0], np.float32)
    found = compare_familiarity(reference, reference + np.float32(0.5), least=2.25)
    assert found["strange_agreement"] == 0.75
    check_familiarity(found, 0.75)
    with pytest.raises(ExportError, match=r"75\.0% of the photos .* 80\.0% .*export_tfjs\.min_strange_agreement"):
        check_familiarity(found, 0.8)
