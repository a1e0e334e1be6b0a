"""Shards: tar and TFRecord codecs, their index, and readers.

What users of finished records import from here, `from fieldguide.records import ShardStream`, is looked up when it is
asked for: a stage that reads one module of this room does not depend on all of them.
"""

from importlib import import_module
from typing import Any

_PUBLIC = {"ShardStream": "shard_stream", "Shard": "shard_list", "open_dataset": "tf_dataset"}
"""Name and module."""


def __getattr__(name: str) -> Any:
    if name not in _PUBLIC:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_PUBLIC[name]}"), name)
