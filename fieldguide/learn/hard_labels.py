"""What the teachers gave: a student against the same one that learnt from the labels alone."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from fieldguide.learn.network import load_network
from fieldguide.learn.predict import predict_batches
from fieldguide.learn.student_params import DistillationParams
from fieldguide.learn.validation import Validation
from fieldguide.records.torch.randomness import seed_of

RESAMPLES = 10_000
LEVEL = 0.95


def without_teachers(params: DistillationParams) -> DistillationParams:
    """The same student and photos, with the labels alone to learn from."""
    return params.model_copy(
        update={"soft_weight": 0.0, "feature_weight": 0.0, "hard_weight": 1.0, "compare_hard": False}
    )


def measure_gain(student: Path, alone: Path, validation: Validation) -> dict[str, float]:
    """How much better `student` is than `alone` at the first rank, on the same validation photos; for the metrics."""
    with_teachers, without = (_is_right(folder, validation) for folder in (student, alone))
    gain = bootstrap_gain(with_teachers, without)
    return {
        "val_top1_hard_labels": float(without.mean()),
        "gain_over_hard_labels": gain.mean,
        "gain_over_hard_labels_low": gain.low,
        "gain_over_hard_labels_high": gain.high,
    }


@dataclass(frozen=True)
class Gain:
    """A difference of two accuracies, and the interval it lies in with probability LEVEL."""

    mean: float
    low: float
    high: float


def bootstrap_gain(ours: np.ndarray, theirs: np.ndarray) -> Gain:
    """The paired bootstrap (Efron, 1979) of who was right, bool [num_photos] each, on the same photos.

    Photos are drawn with replacement, trainings are not: what another seed would give is not in the interval.
    """
    difference = ours.astype(np.int64) - theirs.astype(np.int64)
    # Only three values can be drawn, so a whole resample is one draw of how often each is.
    counts = np.array([(difference == value).sum() for value in (-1, 0, 1)])
    drawn = np.random.default_rng(seed_of("gain")).multinomial(len(difference), counts / len(difference), RESAMPLES)
    means = (drawn[:, 2] - drawn[:, 0]) / len(difference)
    low, high = np.quantile(means, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Gain(float(difference.mean()), float(low), float(high))


def _is_right(folder: Path, validation: Validation) -> np.ndarray:
    network = load_network(folder)
    num_classes = network.spec.class_counts[0]
    batches = predict_batches(
        network,
        validation.records,
        validation.indices,
        batch_size=validation.batch_size,
        workers=validation.workers,
    )
    answers = np.concatenate([logits[:, :num_classes].argmax(axis=1) for logits in batches])
    right: np.ndarray = answers == validation.labels[:, 0]
    return right
