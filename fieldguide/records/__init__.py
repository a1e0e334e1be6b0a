"""Shards: tar and TFRecord codecs, their index, and readers.

What users of finished records import from here, `from fieldguide.records import RecordDataset`, is looked up when it is
asked for: a stage that reads one module of this room does not depend on all of them, nor on PyTorch.
"""

from importlib import import_module
from typing import Any

_PUBLIC = {
    "RecordDataset": "torch.dataset",
    "Shard": "shard_list",
    "ShardStream": "shard_stream",
    "open_dataset": "tf_dataset",
    "to_input": "torch.drawing",
}
"""Name and module."""


def __getattr__(name: str) -> Any:
    if name not in _PUBLIC:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_PUBLIC[name]}"), name)
