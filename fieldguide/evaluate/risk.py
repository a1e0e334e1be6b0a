"""What would be said, and how often wrongly, were a model to ask for more or less confidence at all ranks alike."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from fieldguide.drawing import BLUE, GREEN, GREY, INK, ORANGE, tidy_axes
from fieldguide.evaluate.answers import Answers
from fieldguide.evaluate.decision import NONE, find_wrong, say
from fieldguide.evaluate.metrics import find_interval
from fieldguide.evaluate.rules import Rule
from fieldguide.evaluate.tree import Verdict

STEPS = 100
COLORS = (BLUE, GREEN, ORANGE, "#CC79A7", "#56B4E9", "#E69F00")
"""Of ranks, the finest first."""


@dataclass(frozen=True)
class RiskCurve:
    """Answers to n photos at each of num_steps thresholds."""

    thresholds: np.ndarray
    """How sure an answer must be: float64 [num_steps], rising from 0 to 1."""
    shares: dict[str, np.ndarray]
    """Share of the photos that are answered at each rank, the finest first: float64 [num_steps]."""
    num_wrong: np.ndarray
    """Photos that get a wrong taxon: int64 [num_steps]."""
    num_photos: int

    @property
    def coverage(self) -> np.ndarray:
        """Share of the photos that get a taxon of any rank: float64 [num_steps]."""
        covered: np.ndarray = np.sum(list(self.shares.values()), axis=0)
        return covered

    @property
    def num_named(self) -> np.ndarray:
        """Photos that get a taxon of any rank: int64 [num_steps]."""
        named: np.ndarray = np.rint(self.coverage * self.num_photos).astype(np.int64)
        return named

    def intervals(self, nums: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The 95 % interval of the share of wrong ones among `nums`, int64 [num_steps]: float64 [num_steps] twice."""
        found = [find_interval(wrong, num) for wrong, num in zip(self.num_wrong.tolist(), nums.tolist(), strict=True)]
        low, high = np.transpose(found)
        return low, high


def trace_risk(answers: Answers, rule: Rule) -> RiskCurve:
    """The curve of a model's answers to the test photos; what is strange, `rule` says at every threshold."""
    thresholds = np.linspace(0, 1, STEPS + 1)
    shares = {rank: np.zeros(len(thresholds)) for rank in answers.ranks}
    num_wrong = np.zeros(len(thresholds), np.int64)
    for step, threshold in enumerate(thresholds.tolist()):
        said = say(answers, rule.asking(threshold))
        is_taxon = said.verdicts == Verdict.TAXON
        for rank, share in shares.items():
            share[step] = (is_taxon & (said.ranks == rank)).mean()
        num_wrong[step] = np.count_nonzero(find_wrong(said, answers.ranks))
    return RiskCurve(thresholds, shares, num_wrong, len(answers.indices))


def draw_risk(curve: RiskCurve, rule: Rule, max_error: float, title: str) -> Figure:
    """Above the share of wrong names with its 95 % interval, what was promised and chosen; below what is answered."""
    figure = Figure(figsize=(6.4, 5.8), layout="constrained")
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=(3, 2))
    low, high = curve.intervals(np.full_like(curve.num_wrong, curve.num_photos))
    above.fill_between(curve.thresholds, low, high, color=BLUE, alpha=0.15, linewidth=0, label="95 % interval")
    above.plot(curve.thresholds, curve.num_wrong / curve.num_photos, color=BLUE, linewidth=1.6, label="wrong names")
    above.axhline(max_error, color=ORANGE, linewidth=1.2, linestyle=(0, (4, 3)), label="promised at most")
    above.set(ylabel="share of all photos", ylim=(0, max(0.1, 1.1 * high.max())))
    above.legend(frameon=False, fontsize=9)
    above.set_title(title, loc="left", fontsize=11, color=INK)
    below.stackplot(
        curve.thresholds,
        *curve.shares.values(),
        labels=list(curve.shares),
        colors=[COLORS[place % len(COLORS)] for place in range(len(curve.shares))],
        alpha=0.7,
    )
    below.set(xlim=(0, 1), ylim=(0, 1), xlabel="how sure an answer must be", ylabel="share of all photos")
    below.legend(frameon=False, fontsize=9, loc="lower left")
    below.xaxis.set_major_formatter(PercentFormatter(1))
    for axes in (above, below):
        axes.yaxis.set_major_formatter(PercentFormatter(1))
        tidy_axes(axes)
        for threshold in sorted(set(rule.thresholds.values())):
            if threshold <= 1:
                axes.axvline(threshold, color=GREY, linewidth=1)
    return figure


def draw_coverage(curve: RiskCurve, said: Mapping[str, Any], title: str) -> Figure:
    """The risk-coverage curve: of the names that are given, the share that is wrong, against how many photos get one.

    `said` is what score_decision found, where the model stands. After El-Yaniv and Wiener, On the Foundations of
    Noise-free Selective Classification, JMLR 2010.
    """
    figure = Figure(figsize=(6.4, 4.2), layout="constrained")
    axes = figure.add_subplot()
    is_named = curve.num_named > 0
    coverage, num_named = curve.coverage[is_named], curve.num_named[is_named]
    low, high = (bound[is_named] for bound in curve.intervals(np.maximum(curve.num_named, 1)))
    axes.fill_between(coverage, low, high, color=BLUE, alpha=0.15, linewidth=0, label="95 % interval")
    axes.plot(coverage, curve.num_wrong[is_named] / num_named, color=BLUE, linewidth=1.6, label="wrong among the names")
    if said["accuracy"] is not None:
        at, wrong = 1 - said["coverage"][NONE], 1 - said["accuracy"]
        bounds = [[said["accuracy_interval"][1] - said["accuracy"]], [said["accuracy"] - said["accuracy_interval"][0]]]
        axes.errorbar(at, wrong, bounds, fmt="o", color=ORANGE, capsize=3, label="as it answers")
    axes.set(xlim=(0, 1), ylim=(0, None), xlabel="share of photos that get a name", ylabel="share of wrong names")
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(PercentFormatter(1))
    axes.legend(frameon=False, fontsize=9, loc="upper left")
    axes.set_title(title, loc="left", fontsize=11, color=INK)
    tidy_axes(axes)
    return figure
