"""A backbone that is frozen at first and thaws from its end: `unfreeze: {start, duration, final_fraction}`.

Which tensors learn in an epoch depends on its number alone, so a run that is taken up needs to remember nothing. The
classifier always learns. A frozen BatchNorm is frozen whole: it answers as in evaluation, with the statistics it came
with, which therefore do not move either.
"""

import numpy as np
from torch import nn

from fieldguide.learn.network import classifier_of
from fieldguide.learn.training_params import UnfreezeParams


def thawed_fraction(unfreeze: UnfreezeParams, epoch: int) -> float:
    """Share of the backbone's tensors that learn in this epoch, counted from 0.

    It rises linearly from 0 in the epoch before `start` to `final_fraction`, `duration` epochs after it.
    """
    points = [unfreeze.start - 1, unfreeze.start + unfreeze.duration]
    return float(np.interp(epoch, points, [0.0, unfreeze.final_fraction]))


def freeze_backbone(module: nn.Module, unfreeze: UnfreezeParams, epoch: int) -> int:
    """Let only the last tensors of the backbone learn, as many as the epoch says, and the classifier.

    To be called behind `module.train()`, which wakes every BatchNorm. Returns how many tensors of the backbone learn.
    """
    head = {id(parameter) for parameter in classifier_of(module).parameters()}
    backbone = [parameter for parameter in module.parameters() if id(parameter) not in head]
    num_frozen = round((1 - thawed_fraction(unfreeze, epoch)) * len(backbone))
    for place, parameter in enumerate(backbone):
        parameter.requires_grad_(place >= num_frozen)
    for layer in module.modules():
        if getattr(layer, "running_mean", None) is not None:
            own = list(layer.parameters(recurse=False))
            # One without tensors of its own cannot say where it stands: it waits for the last of the others.
            if num_frozen and not (own and all(parameter.requires_grad for parameter in own)):
                layer.eval()
    return len(backbone) - num_frozen
