"""The same test photos through every runtime, and how far each one's answers are from PyTorch's."""

import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import onnxruntime

from fieldguide.errors import ExportError
from fieldguide.export.class_map import find_prelogits
from fieldguide.export.node import Needs, build_script, run_node
from fieldguide.export.onnx_graph import read_onnx, reveal
from fieldguide.export.params import Limits, RuntimeLimits
from fieldguide.files import write_json

FINER = (
    "export_tfjs.quantization uint8 rounds less than uint7, mixed less than uint8, float16 less than these, none not at"
    " all; bundles grow"
)


@dataclass(frozen=True)
class Agreement:
    """How far one runtime is from PyTorch over the parity photos."""

    top1_agreement: float
    """Share of the decided photos with the same best class at the first rank, in [0, 1]; 1 if there is none."""
    max_abs_logit_error: float
    num_near_ties: int
    """Photos that are not decided: PyTorch's two best classes are no further apart than a logit may be off."""


def predict_onnxruntime(onnx_file: Path, images: np.ndarray) -> np.ndarray:
    """Logits [num_images, classes] of float32 images [num_images, height, width, 3], normalised."""
    session = onnxruntime.InferenceSession(onnx_file, providers=["CPUExecutionProvider"])
    (logits,) = session.run(None, {session.get_inputs()[0].name: np.ascontiguousarray(images.transpose(0, 3, 1, 2))})
    return np.asarray(logits)


def see_onnxruntime(onnx_file: Path, images: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
    """What the classifier sees of such images, float32 [num_images, dim], and their logits.

    None where the logits are made otherwise.
    """
    prelogits = find_prelogits(read_onnx(onnx_file))
    if prelogits is None:
        return None
    logits, seen = reveal(onnx_file, prelogits)(np.ascontiguousarray(images.transpose(0, 3, 1, 2)))
    return seen.reshape(len(images), -1), logits


def predict_node(bundle: Path, squares: np.ndarray, needs: Needs) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
    """Logits of `squares` (uint8 [num_photos, side, side, 3]) by the page's own code in Node, from pixels on.

    Built with the same `needs` as the page, so that a kernel missing there is noticed here.

    Returns them [num_photos, classes], the logits [classes] of the square that the page tests itself with, and how
    familiar the photos look [num_photos], None where the bundle cannot tell. Raises ExportError.
    """
    with tempfile.TemporaryDirectory() as scratch:
        names = ("parity.cjs", "squares.bin", "logits.bin", "familiarity.bin")
        script, pixels, logits, familiarity = (Path(scratch) / name for name in names)
        pixels.write_bytes(squares.tobytes())
        build_script("parity.mjs", script, needs)
        run_node(script, str(bundle), str(pixels), str(squares.shape[1]), str(logits), str(familiarity))
        answers = np.fromfile(logits, "<f4").reshape(len(squares) + 1, -1)
        measured = np.fromfile(familiarity, "<f4")
    return answers[:-1], answers[-1], measured[:-1] if len(measured) else None


def compare_familiarity(reference: np.ndarray, measured: np.ndarray, least: float | None) -> dict[str, float]:
    """How far a runtime is off in how familiar photos look, and how often it agrees on which are strange.

    Both are float32 [num_photos]; below `least` a photo is strange. Rounded weights give coarser features, which lie
    off the space a little more.
    """
    agree = np.mean((reference < least) == (measured < least)) if least is not None else 1.0
    return {
        "max_familiarity_error": float(np.abs(measured - reference).max()),
        "mean_familiarity_error": float((measured - reference).mean()),
        "strange_agreement": float(agree),
    }


def check_familiarity(found: Mapping[str, float], min_agreement: float) -> None:
    """Raise ExportError where the page refuses other photos for looking strange than PyTorch does."""
    if found["strange_agreement"] < min_agreement:
        raise ExportError(
            f"tfjs_node finds {found['strange_agreement']:.1%} of the photos strange, or not, as PyTorch does, "
            f"at least {min_agreement:.1%} are asked for (export_tfjs.min_strange_agreement allows it; {FINER})"
        )


def compare(reference: np.ndarray, logits: np.ndarray, num_classes: int, max_logit_error: float) -> Agreement:
    """How far `logits` are from `reference`: [num_photos, classes of all ranks], `num_classes` at the first.

    Photos count whose best class is ahead by more than the largest error found or, where that is too large,
    by more than `max_logit_error`: narrower ones are decided by rounding, and say nothing of the conversion.
    """
    if logits.shape != reference.shape:
        raise ExportError(f"a runtime answers with shape {logits.shape}, PyTorch with {reference.shape}")
    first = reference[:, :num_classes]
    same = first.argmax(axis=1) == logits[:, :num_classes].argmax(axis=1)
    # A NaN counts as infinitely far away, so that no limit lets it pass.
    error = float(np.nan_to_num(np.abs(logits - reference), nan=np.inf, posinf=np.inf).max())
    best = np.partition(first, max(num_classes - 2, 0), axis=1)
    is_decided = best[:, -1] - best[:, -2] > min(error, max_logit_error) if num_classes > 1 else np.ones_like(same)
    agreement = float(same[is_decided].mean()) if is_decided.any() else 1.0
    return Agreement(agreement, error, int((~is_decided).sum()))


def check_parity(
    reference: np.ndarray,
    logits: Mapping[str, np.ndarray],
    num_classes: int,
    runtime_limits: RuntimeLimits,
    report: Path,
    rest: Mapping[str, object] | None = None,
) -> dict[str, dict[str, float]]:
    """Compare every runtime's `logits` with PyTorch's, write parity.json, and return what it says of each runtime.

    `rest` is written beside it.
    Raises ExportError as `compare` and `check_agreements` do; what was found is written first.
    """
    limits = dict(runtime_limits)
    agreements = {
        runtime: compare(reference, answers, num_classes, limits[runtime].max_logit_error)
        for runtime, answers in logits.items()
    }
    parity = {runtime: asdict(agreement) for runtime, agreement in agreements.items()}
    write_json(report, {"num_photos": len(reference), **parity, **(rest or {})})
    check_agreements(agreements, limits)
    return parity


def check_agreements(agreements: Mapping[str, Agreement], limits: Mapping[str, Limits]) -> None:
    """Raise ExportError naming every runtime that is past its limits, and what helps."""
    problems = []
    for runtime, found in agreements.items():
        allowed = limits[runtime]
        if found.top1_agreement < allowed.min_top1_agreement:
            problems.append(
                f"{runtime} agrees with PyTorch on {found.top1_agreement:.1%} of the photos "
                f"({found.num_near_ties} near-ties left out), at least {allowed.min_top1_agreement:.1%} are asked for"
                f"{_remedy(runtime, 'min_top1_agreement')}"
            )
        if not found.max_abs_logit_error <= allowed.max_logit_error:
            problems.append(
                f"{runtime} is off by {found.max_abs_logit_error:.3g} in a logit, at most "
                f"{allowed.max_logit_error:.3g} is allowed{_remedy(runtime, 'max_logit_error')}"
            )
    if problems:
        raise ExportError("; ".join(problems))


def _remedy(runtime: str, limit: str) -> str:
    allow = f"export_tfjs.limits.{runtime}.{limit} allows it"
    if runtime != "tfjs_node":
        return f" ({allow})"
    return f" ({FINER}; {allow})"
