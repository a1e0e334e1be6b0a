"""How a network is trained: the parameters that teacher and student share, the optimiser and the learning rate."""

import torch
from timm.optim._optim_factory import create_optimizer_v2
from timm.scheduler.cosine_lr import CosineLRScheduler
from torch import nn

from fieldguide.errors import TrainingError
from fieldguide.learn.training_params import TrainingParams


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
