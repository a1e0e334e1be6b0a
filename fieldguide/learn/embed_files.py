"""interim/embed: the names of its files (docs/formats.md)."""

from pathlib import Path

BACKBONE_FILE = "backbone.json"
FUSED = "fused"
"""A folder of records, where `embed.fuse` asks for them."""


def features_path(embed: Path, split: str) -> Path:
    """float16 .npy [num_photos, dim], rows in record order."""
    return embed / f"{split}.npy"


def ids_path(embed: Path, split: str) -> Path:
    """One photo_id per line, in record order."""
    return embed / f"{split}.ids.txt"
