"""From a list of observations of living things to a species classifier that runs offline in a browser.

What users of a finished model import from here, `fieldguide.load`, is looked up when it is asked for: no stage depends
on it, and no import waits for PyTorch. Its type stands in `__init__.pyi`.
"""

from importlib import import_module
from typing import Any

_PUBLIC = {"load": "inference.guide"}
"""Name and module."""


def __getattr__(name: str) -> Any:
    if name not in _PUBLIC:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_PUBLIC[name]}"), name)
