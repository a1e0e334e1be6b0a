"""The search: Optuna's study of a sweep in a SQLite file, which outlives whoever asks it.

Values are proposed by a tree-structured Parzen estimator (Bergstra et al., NeurIPS 2011), trials stopped by the median
rule (Golovin et al., KDD 2017). Each trial's draws are seeded by its number, so that a sweep which was killed proposes
what it would have proposed without that.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.pruners import BasePruner, MedianPruner, NopPruner
from optuna.samplers import TPESampler
from optuna.storages import RDBStorage
from optuna.trial import FrozenTrial, Trial, TrialState

from fieldguide.errors import ParamsError
from fieldguide.sweep.description import Choice, Range, Sweep, Value

IDENTITY, BASELINE, EXPERIMENT, PROBLEM = "identity", "baseline", "experiment", "problem"
"""Names of what is kept of the sweep and of its trials."""

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Search:
    """A sweep's study."""

    name: str
    sweep: Sweep
    study: optuna.Study

    def unfinished(self) -> list[Trial]:
        """Trials that were running when the sweep was killed, in order, to be run again with the same values."""
        running = self.study.get_trials(deepcopy=False, states=[TrialState.RUNNING])
        return [Trial(self.study, trial._trial_id) for trial in running]

    def trials(self) -> list[FrozenTrial]:
        """All trials in order."""
        return self.study.get_trials(deepcopy=False)

    def propose(self) -> Trial:
        """The next trial."""
        self.study.sampler = self._sampler(len(self.trials()))
        return self.study.ask()

    def values(self, trial: Trial) -> dict[str, Value]:
        """What a trial sets in params.yaml, by path; the same however often it is asked."""
        chosen = {path: _suggest(trial, path, distribution(each)) for path, each in self.sweep.space.items()}
        trial.set_user_attr(EXPERIMENT, self.experiment(trial.number))
        return {**self.sweep.set, **chosen}

    def experiment(self, number: int) -> str:
        """The name of a trial's DVC experiment."""
        return f"{self.name}-{number:03d}"

    def report(self, trial: Trial, epoch: int, value: float) -> None:
        """Note a score on the way; one that was noted before a kill stays as it is."""
        if epoch not in self.trials()[trial.number].intermediate_values:
            trial.report(value, epoch)

    def finish(self, trial: Trial, value: float) -> None:
        """Note the score of a trial that is done."""
        self.study.tell(trial, value)

    def prune(self, trial: Trial) -> None:
        """Note that a trial was stopped."""
        self.study.tell(trial, state=TrialState.PRUNED)

    def fail(self, trial: Trial, problem: str) -> None:
        """Note why a trial has no score."""
        trial.set_user_attr(PROBLEM, problem)
        self.study.tell(trial, state=TrialState.FAIL)

    def best(self) -> FrozenTrial:
        """The trial with the best score. Raises ParamsError if none is done."""
        if not self.study.get_trials(deepcopy=False, states=[TrialState.COMPLETE]):
            raise ParamsError(f"sweep {self.name}: no trial is done yet")
        return self.study.best_trial

    def _sampler(self, number: int) -> TPESampler:
        return TPESampler(
            n_startup_trials=self.sweep.random_trials,
            seed=(self.sweep.seed * 1_000_003 + number) % 2**32,
            constant_liar=self.sweep.parallel > 1,
        )


@contextmanager
def opened_search(name: str, sweep: Sweep, database: Path, baseline: str) -> Iterator[Search]:
    """The search in `database`, a path relative to the working directory, which is begun if it is not there.

    `baseline` is the Git revision that its trials start from. Raises ParamsError if it was begun for another space or
    metric; another revision is a warning.
    """
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    database.parent.mkdir(parents=True, exist_ok=True)
    storage = RDBStorage(f"sqlite:///{database}")
    try:
        study = optuna.create_study(
            study_name=name, storage=storage, direction=sweep.direction, pruner=_pruner(sweep), load_if_exists=True
        )
        begun = study.user_attrs
        if begun.get(IDENTITY, sweep.identity()) != sweep.identity():
            raise ParamsError(
                f"sweep {name}: {database} was begun with another target, metric, space, set or seed; "
                "expected the same, or a file of another name"
            )
        if IDENTITY not in begun:
            study.set_user_attr(BASELINE, baseline)
            study.set_user_attr(IDENTITY, sweep.identity())
        elif begun[BASELINE] != baseline:
            log.warning("sweep %s was begun at %s; scores of now may not compare", name, begun[BASELINE][:7])
        yield Search(name, sweep, study)
    finally:
        storage.remove_session()
        storage.engine.dispose()


def distribution(dimension: Range | Choice) -> BaseDistribution:
    """A dimension of the space in Optuna's terms."""
    if isinstance(dimension, Choice):
        return CategoricalDistribution(dimension.values)
    if dimension.kind == "int":
        return IntDistribution(int(dimension.low), int(dimension.high))
    return FloatDistribution(dimension.low, dimension.high, log=dimension.kind == "log")


def _suggest(trial: Trial, path: str, of: BaseDistribution) -> Value:
    if isinstance(of, CategoricalDistribution):
        return trial.suggest_categorical(path, of.choices)
    if isinstance(of, IntDistribution):
        return trial.suggest_int(path, of.low, of.high)
    assert isinstance(of, FloatDistribution)
    return trial.suggest_float(path, of.low, of.high, log=of.log)


def _pruner(sweep: Sweep) -> BasePruner:
    if sweep.pruner is None:
        return NopPruner()
    return MedianPruner(n_startup_trials=sweep.pruner.first_trials, n_warmup_steps=sweep.pruner.first_epochs)
