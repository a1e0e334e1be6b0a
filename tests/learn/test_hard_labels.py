"""What the teachers gave is told with an interval."""

import numpy as np
import pytest

from fieldguide.learn.hard_labels import bootstrap_gain, without_teachers
from fieldguide.learn.student_params import DistillationParams
from tests.learn.making import student_section


def test_the_interval_is_that_of_resampled_photos():
    generator = np.random.default_rng(0)
    ours, theirs = generator.random(400) < 0.8, generator.random(400) < 0.7
    gain = bootstrap_gain(ours, theirs)
    difference = ours.astype(float) - theirs
    means = [generator.choice(difference, 400).mean() for _ in range(5000)]
    assert gain.mean == pytest.approx(difference.mean())
    assert (gain.low, gain.high) == pytest.approx(tuple(np.quantile(means, [0.025, 0.975])), abs=0.01)


def test_equal_students_have_no_gain():
    right = np.array([True, False, True])
    gain = bootstrap_gain(right, right)
    assert (gain.mean, gain.low, gain.high) == (0.0, 0.0, 0.0)


def test_the_other_student_differs_in_the_teachers_alone():
    params = DistillationParams.model_validate(student_section(compare_hard=True, feature_weight=0.5))
    alone = without_teachers(params)
    assert not alone.has_teachers
    changed = {key for key in DistillationParams.model_fields if getattr(alone, key) != getattr(params, key)}
    assert changed == {"soft_weight", "hard_weight", "feature_weight", "compare_hard"}
