"""What a sweep found: a table on the screen, trials.csv and search.png."""

from collections.abc import Iterator, Sequence
from itertools import accumulate
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from optuna.trial import FrozenTrial, TrialState

from fieldguide.console import align
from fieldguide.drawing import BLUE, GREY, INK, ORANGE, save_figure, scale_by_logarithm, tidy_axes
from fieldguide.spreadsheet import write_csv
from fieldguide.sweep.description import Choice, Value
from fieldguide.sweep.search import EXPERIMENT, PROBLEM, Search

STATES = {
    TrialState.COMPLETE: "done",
    TrialState.PRUNED: "stopped",
    TrialState.FAIL: "failed",
    TrialState.RUNNING: "running",
    TrialState.WAITING: "waiting",
}
MOST_COLUMNS = 4
"""Panels in a row of the picture."""


def write_results(search: Search, out: Path) -> None:
    """Write trials.csv and, when a trial is done, search.png."""
    trials, paths = search.trials(), list(search.sweep.space)
    header = ["trial", "experiment", "state", "score", "epochs", *paths, "problem"]
    write_csv(out / "trials.csv", header, (_row(trial, paths) for trial in trials))
    if any(trial.state is TrialState.COMPLETE for trial in trials):
        save_figure(draw_search(search), out / "search.png")


def _row(trial: FrozenTrial, paths: Sequence[str]) -> list[object]:
    score = trial.value if trial.value is not None else ""
    values = [trial.params.get(path, "") for path in paths]
    return [
        trial.number,
        trial.user_attrs.get(EXPERIMENT, ""),
        STATES[trial.state],
        score,
        len(trial.intermediate_values),
        *values,
        trial.user_attrs.get(PROBLEM, ""),
    ]


def as_lines(search: Search) -> Iterator[str]:
    """The table of `--status`: the best trial has a star."""
    trials, paths = search.trials(), list(search.sweep.space)
    done = [trial for trial in trials if trial.state is TrialState.COMPLETE]
    best = search.best().number if done else None
    rows = [["", "experiment", "state", "score", *(path.rpartition(".")[2] for path in paths)]]
    for trial in trials:
        score = "" if trial.value is None else f"{trial.value:.4f}"
        values = [_short(trial.params[path]) if path in trial.params else "" for path in paths]
        name = search.experiment(trial.number)
        rows.append(["*" if trial.number == best else "", name, STATES[trial.state], score, *values])
    yield from align(rows)
    counted = {word: sum(STATES[trial.state] == word for trial in trials) for word in STATES.values()}
    said = ", ".join(f"{count} {word}" for word, count in counted.items() if count) or "none yet"
    yield f"{said}, of {search.sweep.trials} trials; {search.sweep.direction} {search.sweep.metric}"


def _short(value: Value) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def draw_search(search: Search) -> Figure:
    """The scores in the order of trials with the best so far, and over each parameter.

    Stopped trials stand at their last epoch's score, in grey.
    """
    trials = search.trials()
    done = [trial for trial in trials if trial.state is TrialState.COMPLETE]
    stopped = [trial for trial in trials if trial.state is TrialState.PRUNED and trial.intermediate_values]
    columns = min(MOST_COLUMNS, 1 + len(search.sweep.space))
    rows = -(-(1 + len(search.sweep.space)) // columns)
    figure = Figure(figsize=(3.2 * columns, 2.8 * rows), layout="constrained")
    first, *others = figure.subplots(rows, columns, squeeze=False).flat
    key = search.sweep.metric.partition(":")[2]
    first.scatter(
        [trial.number for trial in stopped], [_last(trial) for trial in stopped], s=18, color=GREY, label="stopped"
    )
    first.scatter([trial.number for trial in done], [trial.value for trial in done], s=22, color=BLUE, label="done")
    pick = max if search.sweep.direction == "maximize" else min
    first.step([trial.number for trial in done], [*accumulate((_last(trial) for trial in done), pick)],
               where="post", color=ORANGE, linewidth=1.2)  # fmt: skip
    first.xaxis.set_major_locator(MaxNLocator(integer=True))
    first.set_xlabel("trial, best so far", color=INK, fontsize=9)
    first.legend(frameon=False, fontsize=8)
    first.set_ylabel(key, color=INK, fontsize=9)
    for axes, (path, dimension) in zip(others, search.sweep.space.items(), strict=False):
        _scatter(axes, path, done, BLUE, 22)
        _scatter(axes, path, stopped, GREY, 18)
        if not isinstance(dimension, Choice) and dimension.kind == "log":
            scale_by_logarithm(axes.xaxis)
        axes.set_xlabel(path, color=INK, fontsize=9)
    for axes in (first, *others[: len(search.sweep.space)]):
        tidy_axes(axes)
    for axes in others[len(search.sweep.space) :]:
        axes.set_axis_off()
    return figure


def _scatter(axes: Axes, path: str, trials: Sequence[FrozenTrial], color: str, size: int) -> None:
    points = [(trial.params[path], _last(trial)) for trial in trials]
    are_numbers = all(isinstance(value, int | float) and not isinstance(value, bool) for value, _ in points)
    # Choices stand beside each other by their names.
    places = [value if are_numbers else str(value) for value, _ in points]
    axes.scatter(places, [score for _, score in points], s=size, color=color)


def _last(trial: FrozenTrial) -> float:
    """The score, or that of the last epoch."""
    return trial.value if trial.value is not None else trial.intermediate_values[max(trial.intermediate_values)]
