"""How a network is trained: the parameters that teacher and student share, the optimiser and the learning rate."""

from typing import Any, Literal

import torch
from pydantic import Field, NonNegativeFloat, NonNegativeInt, PositiveFloat, PositiveInt
from timm.optim._optim_factory import create_optimizer_v2
from timm.scheduler.cosine_lr import CosineLRScheduler
from torch import nn

from fieldguide.errors import TrainingError
from fieldguide.learn.device import Precision
from fieldguide.learn.network import BackboneParams


class TrainingParams(BackboneParams):
    """What the sections of teachers and student have in common."""

    head_init: Literal["none", "linear_probe"]
    """`linear_probe`: the classifier starts as a logistic regression on the embed stage's features, so that
    fine-tuning does not bend good features towards a random head (LP-FT; Kumar et al., 2022)."""
    transforms: list[dict[str, Any]]
    """Augmentations, `{_target_: torchvision.transforms.v2.RandomHorizontalFlip, p: 0.5}`, applied in order."""
    epochs: PositiveInt
    batch_size: PositiveInt
    optimizer: str
    """A name that timm's create_optimizer_v2 knows."""
    learning_rate: PositiveFloat
    """At its highest; it rises linearly over `warmup_epochs` and then falls along a cosine to `min_learning_rate`."""
    min_learning_rate: NonNegativeFloat
    warmup_epochs: NonNegativeFloat
    weight_decay: NonNegativeFloat
    layer_decay: PositiveFloat | None
    """Factor by which the learning rate shrinks from each layer to the one below it; null: none."""
    clip_norm: PositiveFloat | None
    """Largest norm of the gradient; null: any."""
    ema_decay: float | None = Field(gt=0, lt=1)
    """Keep and evaluate a moving average of the weights; null: the weights themselves."""
    label_smoothing: float = Field(ge=0, lt=1)
    rank_weights: dict[str, NonNegativeFloat]
    """Weight of each rank in the loss."""
    balance_fraction: float = Field(ge=0, le=1)
    """Draw photos of a class of n_c photos with weight (N / n_c)^fraction; 0: every photo once an epoch."""
    patience: NonNegativeInt | None
    """Stop after so many epochs without a better validation top-1; null: never."""
    max_samples: PositiveInt | None
    """Learn from so many photos only, to try things out; null: all."""
    precision: Precision
    checkpoint_steps: PositiveInt
    """Steps between two resume checkpoints; one is written at the end of every epoch too."""
    workers: NonNegativeInt
    """Processes that decode and augment, each on a core of its own; 0: the training process does. Images are the same,
    but torch's threads get the other cores, and the last bits of a sum depend on how many threads share it."""
    seed: NonNegativeInt


def make_optimizer(module: nn.Module, params: TrainingParams) -> torch.optim.Optimizer:
    """The optimiser of that name over all weights; biases and norms do not decay. Raises TrainingError."""
    try:
        optimizer: torch.optim.Optimizer = create_optimizer_v2(
            module,
            opt=params.optimizer,
            lr=params.learning_rate,
            weight_decay=params.weight_decay,
            layer_decay=params.layer_decay,
        )
    except (ValueError, AssertionError) as error:
        raise TrainingError(f"optimizer {params.optimizer!r} cannot be made: {error}") from None
    return optimizer


def make_schedule(optimizer: torch.optim.Optimizer, params: TrainingParams, steps_per_epoch: int) -> CosineLRScheduler:
    """The learning rate as a function of the step alone: `step_update(step)` sets it, and nothing needs saving."""
    return CosineLRScheduler(
        optimizer,
        t_initial=params.epochs * steps_per_epoch,
        lr_min=params.min_learning_rate,
        warmup_t=round(params.warmup_epochs * steps_per_epoch),
        warmup_lr_init=params.min_learning_rate,
        t_in_epochs=False,
    )
