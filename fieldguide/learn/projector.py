"""A student that also says what each teacher's features are: in training only, and no part of what is saved."""

from collections.abc import Callable, Mapping
from typing import Any

import torch
from timm.models import group_parameters
from torch import Tensor, nn

from fieldguide.learn.network import classifier_of, extract_prelogits


class ProjectedStudent(nn.Module):
    """The network with a linear projector to the features of each teacher.

    Matching the input of the teacher's classifier teaches more than its few answers do (SimKD; Chen et al., Knowledge
    Distillation with the Reused Teacher Classifier, 2022).
    """

    def __init__(self, network: nn.Module, dims: Mapping[str, int], seed: int) -> None:
        """`dims` are those of the teachers' features, by name; the same seed gives the same first projectors."""
        super().__init__()
        self.network = network
        own = classifier_of(network).in_features
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.projectors = nn.ModuleList(nn.Linear(own, dim) for dim in dims.values())

    def forward(self, images: Tensor) -> Tensor:
        """Logits, then the features projected to each teacher's: [batch, num_outputs + sum of dims]."""
        features = extract_prelogits(self.network, images)
        return torch.cat(
            [classifier_of(self.network)(features), *(projector(features) for projector in self.projectors)], dim=1
        )

    def no_weight_decay(self) -> set[str]:
        """For timm's optimisers: what the network excepts."""
        own: Callable[[], set[str]] = getattr(self.network, "no_weight_decay", set)
        return {f"network.{name}" for name in own()}

    def group_matcher(self, coarse: bool = False) -> Callable[[str], Any]:
        """For timm's layer decay: the network's layers; projectors learn like its last one."""
        matcher: Any = getattr(self.network, "group_matcher", lambda **_: {})
        layers: dict[str, int] = group_parameters(self.network, matcher(coarse=coarse), reverse=True)
        last = max(layers.values(), default=0)
        return lambda name: layers.get(name.removeprefix("network."), last)
