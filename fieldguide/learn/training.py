"""The training loop of teachers and student alike, on Lightning Fabric.

Exact under interruption: batch order, augmentation, mixing, freezing and dropout are pure functions of (seed, epoch,
batch or photo id), and a checkpoint holds the rest (weights, optimiser, average, position). Killed at any moment and
run again, it ends with the same bits as if it had never stopped. SIGTERM and Ctrl-C wait for the step under way and a
checkpoint.

Processes that train together run the same loop, each on its part of every batch (collectives.py); the first one writes.
"""

import csv
import logging
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from math import inf, isfinite
from pathlib import Path
from typing import Any

import torch
from lightning_fabric import Fabric
from torch import nn

from fieldguide.errors import TrainingError
from fieldguide.files import remove_partials, written_whole
from fieldguide.learn.checkpoint import RunFolder
from fieldguide.learn.collectives import largest, share_order
from fieldguide.learn.dataset import Batch, PhotoDataset, load_batches
from fieldguide.learn.description import SPEC_FILE
from fieldguide.learn.imbalance import ClassCounts
from fieldguide.learn.interruption import Interruption, interruption_noted
from fieldguide.learn.network import BEST_FILE, LAST_FILE, Network, save_weights
from fieldguide.learn.rebalancing import rebalance_classifier
from fieldguide.learn.step import Loss, Stepper
from fieldguide.learn.training_params import TrainingParams
from fieldguide.learn.validation import Validation
from fieldguide.learn.weights import read_state_dict
from fieldguide.memory import peak_memory_mb
from fieldguide.progress import Watch, progress_shown
from fieldguide.records.order import BatchOrder

log = logging.getLogger(__name__)

HISTORY_FILE = "history.csv"

OnEpoch = Callable[[int, dict[str, float]], None]


@dataclass(frozen=True)
class TrainingTask:
    """What is learnt from what: the part of a training that differs between a teacher and a student."""

    dataset: PhotoDataset
    order: BatchOrder
    loss: Loss
    validation: Validation
    class_counts: ClassCounts = field(default_factory=dict)
    """Wanted where `rebalance` names a rank."""


@dataclass
class _Progress:
    """Where training stands; what of it is not in the weights."""

    epoch: int = 0
    step: int = 0
    """Batches of this epoch that are done."""
    loss_sum: float = 0.0
    """Of this epoch's batches so far."""
    grad_norm_sum: float = 0.0
    num_grad_norms: int = 0
    """Of this epoch's steps so far that had a finite gradient."""
    best_epoch: int = -1
    best: tuple[float, float] = (-inf, 0.0)
    """By what the best epoch was the best, of which more is better; see `_score`."""
    history: list[dict[str, float]] = field(default_factory=list)


def train_network(
    network: Network,
    params: TrainingParams,
    task: TrainingTask,
    out: Path,
    *,
    folder: RunFolder,
    fabric: Fabric,
    on_epoch: OnEpoch,
) -> dict[str, Any]:
    """Train `network` and write its files into `out`; resume where a killed run left off in `folder`.

    `on_epoch(epoch, values)` hears of every epoch's curve points. Returns the metrics: best_epoch, val_top1, val_loss,
    accuracy per rank, what `rebalance` chose, and how many epochs were run. Raises TrainingError where a step cannot be
    taken (see step.py).
    """
    return _Trainer(network, params, task, out, folder, fabric, on_epoch).run()


class _Trainer:
    def __init__(
        self,
        network: Network,
        params: TrainingParams,
        task: TrainingTask,
        out: Path,
        folder: RunFolder,
        fabric: Fabric,
        on_epoch: OnEpoch,
    ) -> None:
        self.params, self.task, self.out, self.folder = params, task, out, folder
        self.fabric, self.on_epoch = fabric, on_epoch
        self.spec = network.spec
        self.order = share_order(fabric, task.order)
        self.progress = _Progress()
        self.stepper = Stepper(network, params, fabric, task.loss, task.dataset, self.order.batches_per_epoch)

    @property
    def evaluated(self) -> nn.Module:
        """The weights that count: the moving average where there is one."""
        return self.stepper.evaluated

    def run(self) -> dict[str, Any]:
        if self.fabric.is_global_zero:
            self.out.mkdir(parents=True, exist_ok=True)
            remove_partials(self.out)
            for name in (SPEC_FILE, BEST_FILE, LAST_FILE, HISTORY_FILE):
                (self.out / name).unlink(missing_ok=True)
        self._resume()
        progress = self.progress
        with interruption_noted() as interruption:
            keys = self.order.iterate(self.params.epochs, epoch=progress.epoch, step=progress.step)
            batches = load_batches(self.task.dataset, keys, self.params.workers)
            while progress.epoch < self.params.epochs and not self._is_out_of_patience():
                self._run_epoch(batches, interruption)
        best = progress.history[progress.best_epoch]
        metrics = {name: value for name, value in best.items() if name.startswith("val_")}
        if self.fabric.is_global_zero:
            self._write_results()
            if self.params.rebalance:
                metrics |= self._rebalance()
        return {"best_epoch": progress.best_epoch, **metrics, "num_epochs": len(progress.history)}

    def _write_results(self) -> None:
        progress = self.progress
        save_weights(self.evaluated, self.out / LAST_FILE)
        with written_whole(self.out / BEST_FILE) as temporary:
            shutil.copyfile(self.folder.path / BEST_FILE, temporary)
        _write_history(self.out / HISTORY_FILE, progress.history)
        self.spec.model_copy(update={"epoch": progress.best_epoch}).write(self.out)

    def _rebalance(self) -> dict[str, float]:
        """Adjust the classifier of the best epoch's weights as `rebalance` says; what is other in the metrics then."""
        network = Network(self.evaluated, self.spec)
        network.module.load_state_dict(read_state_dict(self.out / BEST_FILE))
        chosen = rebalance_classifier(network, self.params.rebalance, self.task.class_counts, self.task.validation)
        save_weights(network.module, self.out / BEST_FILE)
        return self.task.validation.measure(network, self.params.rank_weights) | chosen

    def _run_epoch(self, batches: Iterator[Batch], interruption: Interruption) -> None:
        progress, steps = self.progress, self.order.batches_per_epoch
        started, num_photos = time.monotonic(), 0
        self.stepper.begin_epoch(progress.epoch)
        with progress_shown(Watch(steps, lambda: progress.step, unit="batches"), self._epoch_name()) as report:
            while progress.step < steps:
                done = self.stepper.take(batches, progress.epoch, progress.step)
                progress.step += done.num_batches
                progress.loss_sum += done.loss_sum
                if isfinite(done.grad_norm):
                    progress.grad_norm_sum += done.grad_norm
                    progress.num_grad_norms += 1
                num_photos += done.num_photos * self.fabric.world_size
                report()
                self._end_if_asked(interruption)
                # Between two steps there are no gradients to keep.
                is_due = progress.step % self.params.checkpoint_steps < done.num_batches
                if is_due and progress.step < steps:
                    self._save()
        speed = num_photos / max(time.monotonic() - started, 1e-9)
        self._finish_epoch(speed)

    def _finish_epoch(self, images_per_s: float) -> None:
        progress = self.progress
        values = {
            "lr": self.stepper.learning_rate,
            "train_loss": progress.loss_sum / self.order.batches_per_epoch,
            "grad_norm": progress.grad_norm_sum / max(progress.num_grad_norms, 1),
            **self.task.validation.measure(Network(self.evaluated, self.spec), self.params.rank_weights, self.fabric),
        }
        progress.history.append(values)
        score = self._score(values)
        if score > progress.best:
            progress.best, progress.best_epoch = score, progress.epoch
            if self.fabric.is_global_zero:
                # Beside the checkpoint: DVC empties `out` before a run is taken up.
                save_weights(self.evaluated, self.folder.path / BEST_FILE)
        if self.fabric.is_global_zero:
            _write_history(self.out / HISTORY_FILE, progress.history)
        log.info(
            "%s: train loss %.3f, val loss %.3f, val top-1 %.3f, %.0f img/s",
            self._epoch_name(), values["train_loss"], values["val_loss"], values["val_top1"], images_per_s,
        )  # fmt: skip
        # Speed and memory are for the curves alone: the files are the same for every run.
        own = {"images_per_s": images_per_s, "peak_memory_mb": self._peak_memory_mb()}
        self.on_epoch(progress.epoch, {**values, **own})
        progress.epoch, progress.step, progress.loss_sum = progress.epoch + 1, 0, 0.0
        progress.grad_norm_sum, progress.num_grad_norms = 0.0, 0
        self._save()

    def _score(self, values: Mapping[str, float]) -> tuple[float, float]:
        if self.params.monitor == "val_loss":
            return -values["val_loss"], 0.0
        return values["val_top1"], -values["val_loss"]

    def _peak_memory_mb(self) -> float:
        """Of the accelerator where there is one, else of this process."""
        if self.fabric.device.type == "cuda":
            return torch.cuda.max_memory_allocated(self.fabric.device) / 1e6
        return peak_memory_mb()

    def _epoch_name(self) -> str:
        """For people, who count from 1."""
        return f"epoch {self.progress.epoch + 1} of {self.params.epochs}"

    def _is_out_of_patience(self) -> bool:
        progress, patience = self.progress, self.params.patience
        return patience is not None and progress.epoch - 1 - progress.best_epoch >= patience

    def _end_if_asked(self, interruption: Interruption) -> None:
        """Save and leave if any process got a signal, all at the same step."""
        if number := largest(self.fabric, interruption.number):
            self._save()
            log.info("stopped at %s, after %d batches; run again to go on", self._epoch_name(), self.progress.step)
            interruption.number = number
            interruption.end()

    def _save(self) -> None:
        self.folder.save(self.fabric, {**self.stepper.state(), **vars(self.progress)})

    def _resume(self) -> None:
        state = self.folder.load(self.fabric)
        if state is None:
            return
        try:
            self.stepper.load_state(state)
            self.progress = _Progress(**state)
        except (KeyError, TypeError, ValueError, RuntimeError) as error:
            raise TrainingError(
                f"{self.folder.path} holds a checkpoint that this code cannot go on from: {_first_line(error)}; "
                "expected one of the same code, which `resume: exact` looks for"
            ) from None
        log.info("resuming at %s, after %d batches", self._epoch_name(), self.progress.step)


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


def _write_history(path: Path, history: list[dict[str, float]]) -> None:
    with written_whole(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(["epoch", *history[0]])
        writer.writerows([epoch, *values.values()] for epoch, values in enumerate(history))
