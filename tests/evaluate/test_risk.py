"""Answers at every threshold, counted one by one, and their picture."""

from pathlib import Path

import numpy as np
import pytest

from fieldguide.drawing import save_figure
from fieldguide.evaluate.answers import Answers
from fieldguide.evaluate.decision import score_decision
from fieldguide.evaluate.risk import draw_coverage, draw_risk, trace_risk
from fieldguide.evaluate.rules import Rule
from fieldguide.evaluate.thresholds import NEVER
from tests.evaluate.making import answers_of

RULE = Rule(thresholds={"species": 0.6, "genus": 0.6})


def answers(num: int) -> Answers:
    draw = np.random.default_rng(3)
    species, genus = draw.integers(1, 4, num), draw.integers(1, 3, num)
    at_species = answers_of(["other", "a", "b", "c"], species, np.eye(4)[species] * 2 + draw.normal(0, 1, (num, 4)), 1)
    at_genus = answers_of(["other", "A", "B"], genus, np.eye(3)[genus] * 4 + draw.normal(0, 1, (num, 3)), 1)
    return Answers("net", None, np.arange(num), {"species": at_species, "genus": at_genus})


def test_every_threshold_is_counted():
    asked = answers(40)
    curve = trace_risk(asked, RULE)
    assert curve.num_photos == 40
    for step in (0, 37, 62, 100):
        wrong, named = 0, {"species": 0, "genus": 0}
        for photo in range(40):
            for rank, at_rank in asked.ranks.items():
                if at_rank.candidates.confidence[photo] >= step / 100:
                    named[rank] += 1
                    wrong += int(at_rank.candidates.named[photo] != at_rank.labels[photo])
                    break
        assert curve.num_wrong[step] == wrong
        assert {rank: share[step] * 40 for rank, share in curve.shares.items()} == pytest.approx(named)
        assert curve.coverage[step] == pytest.approx(sum(named.values()) / 40)


@pytest.mark.parametrize("genus", [0.8, NEVER])
def test_the_picture_is_the_same_each_time(genus: float, tmp_path: Path):
    rule = Rule(thresholds={"species": 0.7, "genus": genus})
    for name in ("first.png", "second.png"):
        save_figure(draw_risk(trace_risk(answers(30), rule), rule, 0.05, "net"), tmp_path / name)
    assert (tmp_path / "first.png").read_bytes() == (tmp_path / "second.png").read_bytes()


def test_the_share_of_wrong_names_has_its_interval_at_every_coverage(tmp_path: Path):
    asked = answers(40)
    curve = trace_risk(asked, RULE)
    low, high = curve.intervals(np.maximum(curve.num_named, 1))
    wrong = curve.num_wrong / np.maximum(curve.num_named, 1)
    assert ((low <= wrong) & (wrong <= high)).all()
    assert curve.num_named[0] == 40
    assert curve.num_named[-1] == 0
    for name, threshold in (("says.png", 0.6), ("silent.png", NEVER)):
        said = score_decision(asked, Rule(thresholds={"species": threshold, "genus": threshold}))
        save_figure(draw_coverage(curve, said, "net"), tmp_path / name)
    assert (tmp_path / "says.png").read_bytes() != (tmp_path / "silent.png").read_bytes()
