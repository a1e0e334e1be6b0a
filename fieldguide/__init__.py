"""From a list of observations of living things to a species classifier that runs offline in a browser."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fieldguide.inference.guide import load as load

__all__ = ["load"]


def __getattr__(name: str) -> Any:
    """`fieldguide.load` costs an import of PyTorch or ONNX Runtime only where it is asked for."""
    if name == "load":
        from fieldguide.inference.guide import load

        return load
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
