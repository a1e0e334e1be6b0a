"""Runs the trials of a sweep: asks for values, starts experiments, watches them, notes their scores.

A sweep that is killed leaves its trials as they are: running ones are run again when it is started again, with the same
values and under the same names, and those that DVC had finished are not.
"""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from optuna.trial import Trial

from fieldguide.errors import FieldguideError
from fieldguide.sweep.experiment import Experiment, find_experiment, read_score, remove_workspaces
from fieldguide.sweep.search import Search
from fieldguide.track.epoch_log import read_events

log = logging.getLogger(__name__)

LOOK_EVERY_S = 0.5
MOST_FAILURES = 3
"""Trials in a row that may fail before the sweep gives up: what is wrong then is no trial's own."""


@dataclass(frozen=True)
class _Running:
    trial: Trial
    experiment: Experiment

    @property
    def has_begun(self) -> bool:
        """Whether DVC has made its workspace and runs a stage."""
        return self.experiment.is_over or bool(self.experiment.events())


def run_trials(search: Search, folder: Path, on_end: Callable[[], None]) -> None:
    """Run trials until there are as many as the sweep wants; `on_end` is called after each.

    `folder` takes their logs. Raises FieldguideError if several in a row fail.
    """
    running: list[_Running] = []
    waiting = search.unfinished()
    failures = 0
    try:
        while True:
            while len(running) < search.sweep.parallel and all(each.has_begun for each in running):
                # One after the other: DVC hands what is waiting to whichever `exp run --temp` asks first.
                trial = waiting.pop(0) if waiting else _propose(search)
                if trial is None:
                    break
                if started := _start(search, trial, folder):
                    running.append(started)
                else:
                    on_end()
            if not running:
                return
            time.sleep(LOOK_EVERY_S)
            for each in [*running]:
                if (problem := _look(search, each)) is None:
                    continue
                running.remove(each)
                on_end()
                failures = failures + 1 if problem else 0
                if failures >= MOST_FAILURES:
                    raise FieldguideError(
                        f"sweep {search.name}: {failures} trials in a row failed; the last: {problem}"
                    )
    finally:
        for each in running:
            each.experiment.stop()


def _propose(search: Search) -> Trial | None:
    return search.propose() if len(search.trials()) < search.sweep.trials else None


def _start(search: Search, trial: Trial, folder: Path) -> _Running | None:
    """The trial's experiment; None if DVC has finished it already, and its score is noted."""
    name, values = search.experiment(trial.number), search.values(trial)
    if revision := find_experiment(name):
        search.finish(trial, read_score(revision, search.sweep.metric))
        return None
    # Of a sweep that was killed.
    remove_workspaces([*read_events(folder / f"{name}.jsonl")])
    log.info("%s: %s", name, ", ".join(f"{path}={value}" for path, value in trial.params.items()))
    targets, number = search.sweep.targets, f"{search.name}/{trial.number}"
    return _Running(trial, Experiment.start(name, targets, values, folder, number))


def _look(search: Search, running: _Running) -> str | None:
    """Note what happened: None while the trial goes on, else why it failed, or an empty text if it did not."""
    trial, experiment, pruner = running.trial, running.experiment, search.sweep.pruner
    is_over = experiment.is_over
    if pruner:
        for event in experiment.events():
            if event.stage == pruner.stage and event.values and pruner.curve in event.values:
                assert event.epoch is not None
                search.report(trial, event.epoch, event.values[pruner.curve])
        if not is_over and trial.should_prune():
            experiment.stop()
            search.prune(trial)
            log.info("%s: stopped, no better than the median", experiment.name)
            return ""
    if not is_over:
        return None
    revision = find_experiment(experiment.name)
    if revision is None:
        problem = experiment.failure()
        search.fail(trial, problem)
        log.warning("%s failed: %s", experiment.name, problem)
        return problem
    score = read_score(revision, search.sweep.metric)
    search.finish(trial, score)
    log.info("%s: %g", experiment.name, score)
    return ""
