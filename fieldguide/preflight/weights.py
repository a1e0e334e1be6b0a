"""Whether the weights that networks start from can be had: files by their digest, the hub by whether it answers."""

import os
import urllib.error
import urllib.request
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from fieldguide.files import file_sha256
from fieldguide.learn.params import FileWeights, HubWeights
from fieldguide.learn.training_params import TeacherParams
from fieldguide.preflight.finding import Finding, note, problem
from fieldguide.preflight.setting import Setting

HUB = "https://huggingface.co"
PLACEHOLDERS = ("WEIGHTS", "PHOTOS")
"""Folders in a preset that stand for the user's own."""
HUB_TIMEOUT_S = 5


def check_weights(setting: Setting) -> Iterator[Finding]:
    """Files of weights are there and are those that are meant; weights of the hub need the hub."""
    by_hub = []
    for name, network in setting.networks():
        if isinstance(network, TeacherParams) and network.init_from is not None:
            continue
        weights = network.weights
        if isinstance(weights, HubWeights):
            by_hub.append((name, network.architecture))
        elif isinstance(weights, FileWeights):
            yield from _check_file(f"{name}.weights", weights)
    if by_hub:
        yield from _check_hub([name for name, architecture in by_hub if not _is_cached(architecture)])


def _check_file(key: str, weights: FileWeights) -> Iterator[Finding]:
    if not weights.path.is_file():
        stands = weights.path.parts[0] if weights.path.parts[0] in PLACEHOLDERS else None
        hint = f"; {stands} stands for a folder of yours" if stands else ""
        yield problem(
            f"{key}: {weights.path} is missing{hint}; expected that file, or {{from: hub}} or {{from: scratch}}"
        )
    elif weights.sha256 and weights.sha256 != (digest := _digest(weights.path)):
        yield problem(f"{key}: {weights.path} has sha256 {digest}; expected {weights.sha256}")


@cache
def _digest(path: Path) -> str:
    return file_sha256(path)


def _check_hub(names: list[str]) -> Iterator[Finding]:
    endpoint = os.environ.get("HF_ENDPOINT", HUB)
    if not names:
        yield note("weights of the hub are on this machine already")
    elif os.environ.get("HF_HUB_OFFLINE", "0") not in ("0", "") or not _answers(endpoint):
        yield problem(
            f"{', '.join(names)}: weights from the hub, but {endpoint} cannot be reached; expected a network or files "
            "of weights: {from: file, path: ..., sha256: null, licence: null}"
        )
    else:
        yield note(f"{', '.join(names)}: weights will come from {endpoint}")


def _answers(endpoint: str) -> bool:
    try:
        with urllib.request.urlopen(urllib.request.Request(endpoint, method="HEAD"), timeout=HUB_TIMEOUT_S):
            return True
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False


def _is_cached(architecture: str) -> bool:
    """Whether timm's weights for it lie in the hub's cache. Which repository they are in, only timm knows for sure."""
    home = Path(os.environ.get("HF_HOME", Path.home() / ".cache" / "huggingface"))
    cache_folder = Path(os.environ.get("HF_HUB_CACHE", home / "hub"))
    names = (f"models--timm--{architecture}", f"models--timm--{architecture.partition('.')[0]}.*")
    return any(any(folder.glob("snapshots/*/*")) for name in names for folder in cache_folder.glob(name))
