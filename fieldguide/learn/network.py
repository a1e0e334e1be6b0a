"""Networks: what one is (NetworkSpec), and how it is built, saved and loaded.

A network is one timm model whose only linear classifier outputs the classes of all ranks, one rank after the other.
"""

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import timm
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from fieldguide.digests import check_folder
from fieldguide.errors import TrainingError
from fieldguide.files import written_whole
from fieldguide.learn.description import BEST_FILE as BEST_FILE
from fieldguide.learn.description import SPEC_FILE, NetworkSpec, TeacherOrigin
from fieldguide.learn.padding import mask_padding
from fieldguide.learn.params import BackboneParams, FileWeights, HubWeights
from fieldguide.learn.weights import describe_weights, load_weights, read_state_dict

LAST_FILE = "last.safetensors"

RESERVED_ARGS = {
    "pretrained",
    "pretrained_cfg",
    "pretrained_cfg_overlay",
    "checkpoint_path",
    "cache_dir",
    "num_classes",
}
"""Arguments of timm that would load weights past the `weights` parameter or change the classifier."""


@dataclass(frozen=True)
class Network:
    """A torch module and what its inputs and outputs mean."""

    module: nn.Module
    spec: NetworkSpec
    trained: nn.Module | None = None
    """What is trained where that is more than the module: a module around it, which is no part of what is saved."""

    def taught_by(self, teachers: Mapping[str, "Network"]) -> "Network":
        """The same network with a description that names its teachers and what these began with."""
        origins = {
            name: TeacherOrigin(architecture=teacher.spec.architecture, weights=teacher.spec.weights)
            for name, teacher in teachers.items()
        }
        return Network(self.module, self.spec.model_copy(update={"teachers": origins}))


def build_module(backbone: BackboneParams, num_outputs: int, seed: int, **own_args: Any) -> nn.Module:
    """`create_module` for a network that is trained: it ends in one linear classifier, else TrainingError."""
    module = create_module(backbone, num_outputs, seed, **own_args)
    classifier_name(module)
    return module


def create_module(backbone: BackboneParams, num_outputs: int, seed: int, **own_args: Any) -> nn.Module:
    """Build the timm model with its first weights; the same seed gives the same weights.

    `own_args` go to timm's create_model as they are.
    Raises TrainingError where the architecture, its arguments or the weights do not fit.
    """
    name, args = backbone.architecture, backbone.architecture_args
    if not timm.is_model(name):
        close = difflib.get_close_matches(name, timm.list_models(), n=4)
        raise TrainingError(f"architecture {name!r} is unknown to timm; close names: {', '.join(close) or 'none'}")
    if reserved := sorted(RESERVED_ARGS & args.keys()):
        raise TrainingError(f"architecture_args may not hold {', '.join(reserved)}; use `weights` for weights")
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        try:
            hub = isinstance(backbone.weights, HubWeights)
            module: nn.Module = timm.create_model(name, pretrained=hub, num_classes=num_outputs, **args, **own_args)
        except (TypeError, AssertionError, ValueError, RuntimeError, OSError) as error:
            raise TrainingError(
                f"architecture {name} cannot be built with {args | own_args}: {_first_line(error)}"
            ) from None
    if isinstance(backbone.weights, FileWeights):
        load_weights(module, backbone.weights.path, classifiers_of(getattr(module, "pretrained_cfg", {})))
    if backbone.mask_padding:
        mask_padding(module, name)
    check_side(module, backbone.architecture, backbone.image_size)
    return module


def build_network(
    backbone: BackboneParams,
    *,
    ranks: list[str],
    classes: dict[str, list[str]],
    region: str | None,
    seed: int,
    **own_args: Any,
) -> Network:
    """A network with its first weights for these classes. Raises TrainingError as `build_module` does.

    `own_args` of timm's model act while it is trained alone, and are not written down.
    """
    weights = describe_weights(backbone.weights)
    module = build_module(backbone, sum(len(classes[rank]) for rank in ranks), seed, **own_args)
    spec = NetworkSpec(
        **backbone.model_dump(include=BackboneParams.model_fields.keys() - {"weights"}),
        ranks=ranks,
        classes=classes,
        region=region,
        weights=weights,
        seed=seed,
        num_parameters=sum(parameter.numel() for parameter in module.parameters()),
        epoch=0,
    )
    return Network(module, spec)


def classifiers_of(pretrained_cfg: Mapping[str, Any]) -> tuple[str, ...]:
    """Dotted names of a timm model's classifiers, of which a few models have several and others none."""
    names = pretrained_cfg.get("classifier") or ()
    return (names,) if isinstance(names, str) else tuple(names)


def classifier_name(module: nn.Module) -> str:
    """Dotted name of the only linear classifier (`head`, `classifier`, `head.fc`). Raises TrainingError without one."""
    names = classifiers_of(getattr(module, "pretrained_cfg", {}))
    if len(names) != 1 or not isinstance(module.get_submodule(names[0]), nn.Linear):
        raise TrainingError(
            f"{type(module).__name__} does not end in one linear classifier; choose another architecture"
        )
    return names[0]


def classifier_of(module: nn.Module) -> nn.Linear:
    """The linear classifier itself: weight [num_outputs, dim], bias [num_outputs]."""
    classifier = module.get_submodule(classifier_name(module))
    assert isinstance(classifier, nn.Linear)
    return classifier


def extract_prelogits(module: nn.Module, images: Tensor) -> Tensor:
    """What the classifier sees of `images` [batch, 3, S, S]: [batch, dim]."""
    # timm's models share these two methods, torch's base class does not know them.
    timm_model: Any = module
    features: Tensor = timm_model.forward_head(timm_model.forward_features(images), pre_logits=True)
    return features


def split_logits(logits: Tensor, spec: NetworkSpec) -> dict[str, Tensor]:
    """Cut logits [batch, num_outputs] into those of each rank: {rank: [batch, classes of that rank]}."""
    return dict(zip(spec.ranks, logits.split(spec.class_counts, dim=1), strict=True))


def check_side(module: nn.Module, architecture: str, side: int) -> None:
    """Raise TrainingError if the network does not take square images of `side` px."""
    training = module.training
    module.eval()
    try:
        with torch.inference_mode():
            module(torch.zeros(1, 3, side, side))
    except (AssertionError, RuntimeError) as error:
        raise TrainingError(f"{architecture} does not take images of {side} px: {_first_line(error)}") from None
    finally:
        module.train(training)


def save_weights(module: nn.Module, path: Path) -> None:
    """Write a state dict as safetensors, whole or not at all."""
    state = {key: value.detach().cpu().contiguous() for key, value in module.state_dict().items()}
    with written_whole(path) as temporary:
        save_file(state, temporary)


def save_network(network: Network, directory: Path) -> None:
    """Write model.safetensors, then model.json."""
    save_weights(network.module, directory / BEST_FILE)
    network.spec.write(directory)


def load_network(directory: Path, weights_file: str = BEST_FILE) -> Network:
    """Read a trained network, ready to answer (evaluation mode, on the CPU). Raises TrainingError or RecordError."""
    check_folder(directory)
    spec = NetworkSpec.read(directory)
    scratch = {"weights": {"from": "scratch"}}
    shared = {name: getattr(spec, name) for name in BackboneParams.model_fields if name != "weights"}
    module = build_module(BackboneParams.model_validate(shared | scratch), spec.num_outputs, spec.seed)
    try:
        module.load_state_dict(read_state_dict(directory / weights_file))
    except RuntimeError as error:
        raise TrainingError(f"{directory / weights_file} does not fit {SPEC_FILE}: {_first_line(error)}") from None
    return Network(module.eval(), spec)


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
