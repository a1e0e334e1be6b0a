"""One step of the optimiser: batches forward and backward, the gradient clipped, the weights and their average moved.

What it draws is a pure function of (seed, epoch, batch). What goes wrong on the way is told in one line: where, on
which photos, and what to try.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from lightning_fabric import Fabric
from timm.utils.model_ema import ModelEmaV3
from torch import Tensor, nn
from torch._dynamo.exc import TorchDynamoException

from fieldguide.errors import FieldguideError, TrainingError
from fieldguide.learn.bfloat16 import suit_processor
from fieldguide.learn.collectives import average_statistics, gather_batch, sum_gradients, unite
from fieldguide.learn.dataset import Batch, PhotoDataset, make_input
from fieldguide.learn.freezing import freeze_backbone
from fieldguide.learn.mixing import Mix, draw_mix
from fieldguide.learn.network import Network
from fieldguide.learn.optimisation import make_optimizer, make_schedule
from fieldguide.learn.training_params import TrainingParams
from fieldguide.records.torch.randomness import seed_of

NUM_PHOTOS_NAMED = 4
CPU_IS_FULL = "DefaultCPUAllocator"
"""In the message of the RuntimeError that torch raises where the machine's own memory is at an end."""


class Loss(Protocol):
    """What is minimised."""

    def __call__(self, logits: Tensor, views: Tensor, indices: Tensor, mix: Mix | None = None) -> Tensor:
        """Logits float32 [batch, num_outputs], views and record indices int64 [batch] to a scalar.

        `mix` says how the batch is mixed with itself; never given where `mixup` and `cutmix` are null.
        """
        ...


@dataclass(frozen=True)
class StepResult:
    """What came of one step."""

    num_batches: int
    num_photos: int
    loss_sum: float
    """Of the mean losses of its batches."""
    grad_norm: float
    """Length of the gradient before it was clipped; not finite where float16 made the optimiser skip the step."""


class Stepper:
    """A network that is trained, step by step, and all that moves it."""

    def __init__(
        self,
        network: Network,
        params: TrainingParams,
        fabric: Fabric,
        loss: Loss,
        dataset: PhotoDataset,
        batches_per_epoch: int,
    ) -> None:
        """`dataset` is where the batches come from. Raises TrainingError where the optimiser cannot be made."""
        self.spec, self.params, self.fabric, self.loss, self.dataset = network.spec, params, fabric, loss, dataset
        self.batches_per_epoch = batches_per_epoch
        self._num_learning = 0
        self.raw = unite(fabric, network.module).to(memory_format=torch.channels_last)
        suit_processor(self.raw, fabric)
        self.trained = network.trained or self.raw
        optimizer = make_optimizer(self.trained, params)
        # Compiled or not, it is the plain module that is saved: the names of its weights stay what they are.
        called: Any = torch.compile(self.trained) if params.compile else self.trained
        self.module, self.optimizer = fabric.setup(called, optimizer)
        self.schedule = make_schedule(optimizer, params, batches_per_epoch)
        self.average = ModelEmaV3(self.raw, decay=params.ema_decay) if params.ema_decay else None

    @property
    def evaluated(self) -> nn.Module:
        """The weights that count: the moving average where there is one."""
        return self.average.module if self.average else self.raw

    @property
    def learning_rate(self) -> float:
        """The highest of all layers'."""
        return float(max(group["lr"] for group in self.optimizer.param_groups))

    def state(self) -> dict[str, Any]:
        """What a checkpoint holds of it, as Fabric saves it. Only between two steps: there are no gradients then."""
        state = {
            "module": self.trained,
            "optimizer": self.optimizer,
            "scaler": self.fabric.strategy.precision.state_dict(),
        }
        return state | ({"average": self.average} if self.average else {})

    def load_state(self, state: dict[str, Any]) -> None:
        """Take its part out of what `state` saved."""
        self.trained.load_state_dict(state.pop("module"))
        self.optimizer.load_state_dict(state.pop("optimizer"))
        # By what the losses of float16 are multiplied; other precisions have nothing to remember.
        self.fabric.strategy.precision.load_state_dict(state.pop("scaler"))
        if self.average:
            self.average.load_state_dict(state.pop("average"))

    def begin_epoch(self, epoch: int) -> None:
        """Set every part of the network to learning or to standing still, as this epoch wants it."""
        self.module.train()
        if self.params.unfreeze:
            num_learning = freeze_backbone(self.raw, self.params.unfreeze, epoch)
            if self.params.compile and num_learning != self._num_learning:
                # Else every epoch that thaws something would be one more variant of each graph, and these are limited.
                torch._dynamo.reset()
            self._num_learning = num_learning

    def take(self, batches: Iterator[Batch], epoch: int, first: int) -> StepResult:
        """Learn from the next batches, of which `first` is the number in its epoch, counted from 0.

        The last step of an epoch may have fewer than `accumulate`. Raises TrainingError, or what a batch's source does.
        """
        size = min(self.params.accumulate, self.batches_per_epoch - first)
        self.schedule.step_update(epoch * self.batches_per_epoch + first)
        self.optimizer.zero_grad()
        num_photos, loss_sum = 0, 0.0
        for place in range(first, first + size):
            where = f"epoch {epoch + 1} of {self.params.epochs}, batch {place + 1} of {self.batches_per_epoch}"
            try:
                photos = next(batches)
            except FieldguideError as error:
                raise type(error)(f"{where}: {error}") from None
            with self._explained(where, indices=photos[2]):
                is_last = place == first + size - 1
                loss_sum += self._learn(photos, epoch, place, 1 / size)
                if is_last:
                    steps_per_epoch = -(-self.batches_per_epoch // self.params.accumulate)
                    grad_norm = self._update(epoch * steps_per_epoch + first // self.params.accumulate)
            num_photos += len(photos[0])
        return StepResult(size, num_photos, loss_sum, grad_norm)

    def _learn(self, photos: Batch, epoch: int, batch: int, weight: float) -> float:
        """Add a batch's gradient, times `weight`, to what there is. Returns the loss."""
        # Dropout and stochastic depth draw from here; see randomness.py.
        torch.manual_seed(seed_of(self.params.seed, epoch, batch) + self.fabric.global_rank)
        images, views, indices, boxes = photos
        inputs = make_input(images, boxes, self.spec, self.fabric.device)
        mix = draw_mix(self.params, epoch, batch, self.fabric.world_size)
        if mix is not None:
            inputs = mix.blend(inputs)
        logits = self.module(inputs).float()
        logits, views, indices = gather_batch(self.fabric, logits, views.to(logits.device), indices.to(logits.device))
        loss = self.loss(logits, views, indices, mix) if mix else self.loss(logits, views, indices)
        value = loss.item()
        if not torch.isfinite(loss.detach()):
            raise TrainingError(f"the loss is {value}; {self._how_to_stay_finite()}")
        self.fabric.backward(loss * weight if weight != 1 else loss)
        return value

    def _update(self, number: int) -> float:
        """Move the weights and their average in the step of this number; the gradient's length before clipping."""
        sum_gradients(self.fabric, self.raw)
        average_statistics(self.fabric, self.raw)
        longest = float("inf") if self.params.clip_norm is None else self.params.clip_norm
        total = self.fabric.clip_gradients(self.module, self.optimizer, max_norm=longest, error_if_nonfinite=False)
        assert total is not None
        norm = float(total)
        # In float16 it may well be: the scaler then leaves the step out and scales the next loss less.
        if not torch.isfinite(total) and self.params.precision != "fp16-mixed":
            raise TrainingError(f"the gradient is {norm}; {self._how_to_stay_finite()}")
        self.optimizer.step()
        if self.average:
            self.average.update(self.raw, step=number)
        return norm

    @contextmanager
    def _explained(self, where: str, indices: Tensor) -> Iterator[None]:
        """Errors from inside say where they arose, on which photos, and what to try."""
        try:
            yield
        except TrainingError as error:
            raise TrainingError(f"{where} ({self._name_photos(indices)}): {error}") from None
        except TorchDynamoException as error:
            raise TrainingError(f"{where}: torch.compile failed: {_first_line(error)}; set compile: false") from None
        except (RuntimeError, MemoryError) as error:
            if not isinstance(error, torch.OutOfMemoryError | MemoryError) and CPU_IS_FULL not in str(error):
                raise
            problem = f"out of memory: {_first_line(error)}; {self._how_to_need_less()}"
            raise TrainingError(f"{where} ({self._name_photos(indices)}): {problem}") from None

    def _how_to_stay_finite(self) -> str:
        params = self.params
        other = "precision (bf16-mixed or 32-true)" if params.precision == "fp16-mixed" else "look at these photos"
        return f"lower learning_rate ({params.learning_rate}) or clip_norm ({params.clip_norm}), or {other}"

    def _how_to_need_less(self) -> str:
        batch, accumulate = self.params.batch_size, self.params.accumulate
        return (
            f"batch_size {max(1, batch // 2)} and accumulate {accumulate * 2} instead of {batch} and {accumulate} make "
            "steps of the same photos; a lower image_size or, on a GPU, precision bf16-mixed needs less, too"
        )

    def _name_photos(self, indices: Tensor) -> str:
        all_ids = self.dataset.records.photo_ids
        ids = [all_ids[index] for index in indices[:NUM_PHOTOS_NAMED].tolist()]
        more = len(indices) - len(ids)
        return f"photos {', '.join(ids)}{f' and {more} more' if more else ''}"


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
