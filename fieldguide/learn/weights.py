"""Where a network's first weights come from: chosen by a parameter, never silently."""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from timm.layers.pos_embed import resample_abs_pos_embed
from torch import nn

from fieldguide.errors import TrainingError
from fieldguide.files import file_sha256
from fieldguide.learn.params import FileWeights, WeightsParams

StateDict = dict[str, torch.Tensor]

NUM_KEYS_SHOWN = 3
IMAGE_TOWER = "visual."
"""With what the keys of open_clip's image towers begin."""
PROJECTION = f"{IMAGE_TOWER}proj"
"""From the tower's features to the space that images and texts share: float32 [dim, dim of that space]."""


def describe_weights(weights: WeightsParams) -> dict[str, Any]:
    """The origin of the weights as it goes into model.json; a file is named by its digest too.

    Raises TrainingError if the file is missing or is not the expected one.
    """
    if not isinstance(weights, FileWeights):
        return weights.model_dump(mode="json")
    try:
        digest = file_sha256(weights.path)
    except FileNotFoundError:
        raise TrainingError(f"weights file {weights.path} is missing; see weights.path in params.yaml") from None
    if weights.sha256 not in (None, digest):
        raise TrainingError(f"weights file {weights.path} has sha256 {digest}; expected {weights.sha256}")
    return {**weights.model_dump(mode="json"), "sha256": digest}


def read_state_dict(path: Path) -> StateDict:
    """Read a state dict without running any code that it might carry. Raises TrainingError."""
    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        content = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise TrainingError(f"weights file {path} is missing") from None
    except (SafetensorError, RuntimeError, ValueError, EOFError, OSError, UnpicklingError) as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise TrainingError(f"weights file {path} is not a plain state dict of tensors: {reason}") from None
    if not isinstance(content, dict) or not all(isinstance(value, torch.Tensor) for value in content.values()):
        raise TrainingError(f"weights file {path} holds more than tensors; expected a plain state dict")
    return content


def count_outputs(state: Mapping[str, torch.Tensor], classifiers: Sequence[str]) -> int | None:
    """The outputs of the classifier in a state dict, or the dim of an image tower's projection; None without either."""
    if PROJECTION in state:
        return state[PROJECTION].shape[1]
    return next((len(state[f"{name}.bias"]) for name in classifiers if f"{name}.bias" in state), None)


def load_weights(network: nn.Module, path: Path, classifiers: Sequence[str]) -> None:
    """Fill `network` with the weights in `path`, in place.

    The classifiers (the modules of these names) keep their random weights where the file's have another shape or are
    absent, and absolute position embeddings are resampled to the network's grid. Of open_clip's models the image tower
    is taken, with its projection in the classifier's place. Anything else that does not match raises TrainingError
    naming the first keys.
    """
    state = read_state_dict(path)
    if any(key.startswith(IMAGE_TOWER) for key in state):
        state = _take_image_tower(state, network, path)
    fill_network(network, state, classifiers, path)


def fill_network(network: nn.Module, state: StateDict, classifiers: Sequence[str], path: Path) -> None:
    """`load_weights` of a state dict under timm's names that was read from `path`."""
    own = network.state_dict()
    state = _fit_position_embedding(state, network, own)
    head = {f"{name}.{part}" for name in classifiers for part in ("weight", "bias")}
    if any(key not in state or state[key].shape != own[key].shape for key in head & own.keys()):
        state = {key: value for key, value in state.items() if key not in head}
        state |= {key: own[key] for key in head & own.keys()}
    problems = {
        "absent": sorted(own.keys() - state.keys()),
        "unknown": sorted(state.keys() - own.keys()),
        "of another shape": sorted(key for key in own.keys() & state.keys() if own[key].shape != state[key].shape),
    }
    # Counters of seen batches do not act on the outputs, and older files lack them.
    problems["absent"] = [key for key in problems["absent"] if not key.endswith("num_batches_tracked")]
    if any(problems.values()):
        text = "; ".join(
            f"{len(keys)} {kind} ({', '.join(keys[:NUM_KEYS_SHOWN])}{', ...' if len(keys) > NUM_KEYS_SHOWN else ''})"
            for kind, keys in problems.items()
            if keys
        )
        raise TrainingError(f"weights file {path} does not fit {type(network).__name__}: {text}")
    network.load_state_dict({**own, **state})


def _take_image_tower(state: StateDict, network: nn.Module, path: Path) -> StateDict:
    """The image tower of an open_clip model under timm's names, by timm's own conversion for the architecture."""
    convert = getattr(sys.modules[type(network).__module__], "checkpoint_filter_fn", None)
    tower = {key: value for key, value in state.items() if key.startswith(IMAGE_TOWER)}
    try:
        if convert is None:
            raise TypeError("timm converts no such weights for it")
        converted: StateDict = convert(tower, network)
    except (AttributeError, TypeError, KeyError, RuntimeError, ValueError, AssertionError) as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise TrainingError(
            f"weights file {path} holds an image tower of open_clip, which does not become a "
            f"{type(network).__name__}: {reason}; expected its architecture, as vit_large_patch14_clip_224"
        ) from None
    return converted


def _fit_position_embedding(state: StateDict, network: nn.Module, own: StateDict) -> StateDict:
    given, wanted = state.get("pos_embed"), own.get("pos_embed")
    grid = getattr(getattr(network, "patch_embed", None), "grid_size", None)
    if given is None or wanted is None or grid is None or given.shape == wanted.shape or given.ndim != 3:
        return state
    num_prefix = 0 if getattr(network, "no_embed_class", False) else getattr(network, "num_prefix_tokens", 0)
    side = round((given.shape[1] - num_prefix) ** 0.5)
    if side * side != given.shape[1] - num_prefix:
        return state
    resampled = resample_abs_pos_embed(given, list(grid), [side, side], num_prefix_tokens=num_prefix)
    return {**state, "pos_embed": resampled}
