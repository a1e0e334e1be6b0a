"""Which weights files of a folder fit an architecture; PyTorch is asked in a process of its own.

Files are called after their architecture, as timm calls it: `vit_tiny_patch16_224.pth`, `mobilenetv2_100.safetensors`,
whatever follows (`mobilenetv2_100_tf2_ptq_int8.pth`). The longest such name counts, and each file is loaded into it.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fieldguide.engine import run_isolated
from fieldguide.errors import ParamsError

ENDINGS = (".safetensors", ".pth", ".pt", ".bin")
BY_TENSORFLOW = ("tf", "tf2")
"""Words in a file's name: such weights want TensorFlow's padding and pixel values from -1 to 1."""


@dataclass(frozen=True)
class Pretrained:
    """Weights on disk and the network that they belong to."""

    path: Path
    sha256: str
    architecture: str
    architecture_args: dict[str, Any]
    image_size: int
    """Px; that of the training."""
    mean: tuple[float, ...]
    std: tuple[float, ...]
    num_parameters: int


@dataclass(frozen=True)
class Learning:
    """What PyTorch says of this machine and of the weights that it was shown."""

    accelerator: str | None
    pretrained: tuple[Pretrained, ...] = ()
    misfits: tuple[str, ...] = ()
    """A line for each file that fits no architecture."""


def look_at_learning(folder: Path | None) -> Learning:
    """Ask PyTorch for the accelerator, and try every weights file in `folder`. Raises ParamsError if there is none."""
    if folder is not None and not folder.is_dir():
        raise ParamsError(f"{folder} is not a folder; expected one with weights such as vit_tiny_patch16_224.pth")
    files = sorted(file for file in folder.iterdir() if file.suffix in ENDINGS) if folder else []
    if folder is not None and not files:
        raise ParamsError(f"{folder} holds no weights; expected files that end in {', '.join(ENDINGS)}")
    return run_isolated(_ask_torch, tuple(files))


def _ask_torch(files: tuple[Path, ...]) -> Learning:
    from fieldguide.survey.fitting import look_at_files

    return look_at_files(files)
