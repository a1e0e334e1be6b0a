"""The training loop of teachers and student alike, on Lightning Fabric.

Exact under interruption: batch order, augmentation and dropout are pure functions of (seed, epoch, step or photo id),
and a checkpoint holds the rest (weights, optimiser, average, position). Killed at any moment and run again, it
ends with the same bits as if it had never stopped.
"""

import csv
import logging
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from lightning_fabric import Fabric
from timm.utils.model_ema import ModelEmaV3
from torch import Tensor, nn

from fieldguide.errors import TrainingError
from fieldguide.files import remove_partials, written_whole
from fieldguide.learn.checkpoint import RunFolder
from fieldguide.learn.dataset import Batch, PhotoDataset, load_batches
from fieldguide.learn.description import SPEC_FILE
from fieldguide.learn.network import BEST_FILE, LAST_FILE, Network, save_weights
from fieldguide.learn.optimisation import make_optimizer, make_schedule
from fieldguide.learn.params import TrainingParams
from fieldguide.learn.validation import Validation
from fieldguide.progress import Watch, progress_shown
from fieldguide.records.order import BatchOrder
from fieldguide.records.torch.loading import to_input
from fieldguide.records.torch.randomness import seed_of

log = logging.getLogger(__name__)

HISTORY_FILE = "history.csv"

Loss = Callable[[Tensor, Tensor, Tensor], Tensor]
"""Logits float32 [batch, num_outputs], views and record indices int64 [batch] to a scalar."""

OnEpoch = Callable[[int, dict[str, float]], None]


@dataclass(frozen=True)
class TrainingTask:
    """What is learnt from what: the part of a training that differs between a teacher and a student."""

    dataset: PhotoDataset
    order: BatchOrder
    loss: Loss
    validation: Validation


@dataclass
class _Progress:
    """Where training stands; what of it is not in the weights."""

    epoch: int = 0
    step: int = 0
    """Batches of this epoch that are done."""
    loss_sum: float = 0.0
    """Of this epoch's batches so far."""
    best_epoch: int = -1
    best: tuple[float, float] = (-1.0, 0.0)
    """Validation top-1 and negative loss of the best epoch."""
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
    accuracy per rank, and how many epochs were run. Raises TrainingError if the loss is no longer finite.
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
        self.raw = network.module.to(memory_format=torch.channels_last)
        self.trained = network.trained or self.raw
        optimizer = make_optimizer(self.trained, params)
        self.module, self.optimizer = fabric.setup(self.trained, optimizer)
        self.schedule = make_schedule(optimizer, params, task.order.batches_per_epoch)
        self.average = ModelEmaV3(self.raw, decay=params.ema_decay) if params.ema_decay else None
        self.progress = _Progress()

    @property
    def evaluated(self) -> nn.Module:
        """The weights that count: the moving average where there is one."""
        return self.average.module if self.average else self.raw

    def run(self) -> dict[str, Any]:
        self.out.mkdir(parents=True, exist_ok=True)
        remove_partials(self.out)
        for name in (SPEC_FILE, BEST_FILE, LAST_FILE, HISTORY_FILE):
            (self.out / name).unlink(missing_ok=True)
        self._resume()
        progress = self.progress
        keys = self.task.order.iterate(self.params.epochs, epoch=progress.epoch, step=progress.step)
        batches = load_batches(self.task.dataset, keys, self.params.workers)
        while progress.epoch < self.params.epochs and not self._is_out_of_patience():
            self._run_epoch(batches)
        save_weights(self.evaluated, self.out / LAST_FILE)
        with written_whole(self.out / BEST_FILE) as temporary:
            shutil.copyfile(self.folder.path / BEST_FILE, temporary)
        _write_history(self.out / HISTORY_FILE, progress.history)
        self.spec.model_copy(update={"epoch": progress.best_epoch}).write(self.out)
        best = progress.history[progress.best_epoch]
        metrics = {name: value for name, value in best.items() if name.startswith("val_")}
        return {"best_epoch": progress.best_epoch, **metrics, "num_epochs": len(progress.history)}

    def _run_epoch(self, batches: Iterator[Batch]) -> None:
        progress, steps = self.progress, self.task.order.batches_per_epoch
        started, num_photos = time.monotonic(), 0
        self.module.train()
        with progress_shown(Watch(steps, lambda: progress.step, unit="batches"), self._epoch_name()) as report:
            while progress.step < steps:
                images, views, indices = next(batches)
                progress.loss_sum += self._train_step(images, views, indices)
                progress.step += 1
                num_photos += len(images)
                report()
                if progress.step % self.params.checkpoint_steps == 0 and progress.step < steps:
                    self._save()
        speed = num_photos / max(time.monotonic() - started, 1e-9)
        self._finish_epoch(speed)

    def _train_step(self, images: Tensor, views: Tensor, indices: Tensor) -> float:
        progress = self.progress
        number = progress.epoch * self.task.order.batches_per_epoch + progress.step
        self.schedule.step_update(number)
        # Dropout and stochastic depth draw from here; see randomness.py.
        torch.manual_seed(seed_of(self.params.seed, progress.epoch, progress.step))
        inputs = to_input(images.to(self.fabric.device, non_blocking=True), self.spec.mean, self.spec.std)
        logits = self.module(inputs).float()
        loss = self.task.loss(logits, views.to(logits.device), indices.to(logits.device))
        value = float(loss.detach())
        if not torch.isfinite(loss.detach()):
            raise TrainingError(
                f"{self.out}: the loss is {value} at {self._epoch_name()}, batch {progress.step + 1}; "
                f"lower learning_rate ({self.params.learning_rate}) or set clip_norm"
            )
        self.optimizer.zero_grad()
        self.fabric.backward(loss)
        if self.params.clip_norm is not None:
            self.fabric.clip_gradients(self.module, self.optimizer, max_norm=self.params.clip_norm)
        self.optimizer.step()
        if self.average:
            self.average.update(self.raw, step=number)
        return value

    def _finish_epoch(self, images_per_s: float) -> None:
        progress = self.progress
        values = {
            "lr": float(max(group["lr"] for group in self.optimizer.param_groups)),
            "train_loss": progress.loss_sum / self.task.order.batches_per_epoch,
            **self.task.validation.measure(Network(self.evaluated, self.spec), self.params.rank_weights),
        }
        progress.history.append(values)
        score = (values["val_top1"], -values["val_loss"])
        if score > progress.best:
            progress.best, progress.best_epoch = score, progress.epoch
            # Beside the checkpoint: DVC empties `out` before a run is taken up.
            save_weights(self.evaluated, self.folder.path / BEST_FILE)
        _write_history(self.out / HISTORY_FILE, progress.history)
        log.info(
            "%s: train loss %.3f, val loss %.3f, val top-1 %.3f, %.0f img/s",
            self._epoch_name(), values["train_loss"], values["val_loss"], values["val_top1"], images_per_s,
        )  # fmt: skip
        self.on_epoch(progress.epoch, {**values, "images_per_s": images_per_s})
        progress.epoch, progress.step, progress.loss_sum = progress.epoch + 1, 0, 0.0
        self._save()

    def _epoch_name(self) -> str:
        """For people, who count from 1."""
        return f"epoch {self.progress.epoch + 1} of {self.params.epochs}"

    def _is_out_of_patience(self) -> bool:
        progress, patience = self.progress, self.params.patience
        return patience is not None and progress.epoch - 1 - progress.best_epoch >= patience

    def _save(self) -> None:
        state = {"module": self.trained, "optimizer": self.optimizer, **vars(self.progress)}
        self.folder.save(self.fabric, state | ({"average": self.average} if self.average else {}))

    def _resume(self) -> None:
        state = self.folder.load(self.fabric)
        if state is None:
            return
        self.trained.load_state_dict(state.pop("module"))
        self.optimizer.load_state_dict(state.pop("optimizer"))
        if self.average:
            self.average.load_state_dict(state.pop("average"))
        self.progress = _Progress(**state)
        log.info("resuming at %s, after %d batches", self._epoch_name(), self.progress.step)


def _write_history(path: Path, history: list[dict[str, float]]) -> None:
    with written_whole(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(["epoch", *history[0]])
        writer.writerows([epoch, *values.values()] for epoch, values in enumerate(history))
