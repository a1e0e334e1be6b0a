"""What must hold where a network masks the padding around photos (`mask_padding`): there is some, and one knows where.

Flips and crops at the beginning of `transforms` take the photo's box with them; what comes behind them has to leave
every pixel where it is.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from fieldguide.lookup import Params, get, listed, mapping, networks

FIRST: Final = ("RandomHorizontalFlip", "RandomVerticalFlip", "RandomCrop", "RandomResizedCrop")
"""Classes at the beginning that the box follows; RandomCrop is fieldguide's."""
_IN_PLACE = """
    ColorJitter Compose GaussianBlur Grayscale JPEG RandomAdjustSharpness RandomApply RandomAutocontrast
    RandomChannelPermutation RandomChoice RandomEqualize RandomErasing RandomGrayscale RandomInvert RandomOrder
    RandomPhotometricDistort RandomPosterize RandomSolarize to_grey
"""
IN_PLACE: Final = frozenset(_IN_PLACE.split())
"""Steps that leave every pixel where it is, and those that hold others."""


def pad_what_is_masked(params: Params) -> Iterator[str]:
    """Squares have padding."""
    method, upscale = get(params, "resize", "method"), get(params, "resize", "upscale")
    if method in ("crop", "squash") and upscale is True:
        for name, _ in _masking(params):
            yield (
                f"{name}.mask_padding is true, but resize.method {method} with upscale true pads no photo; expected "
                "pad or bbox, or mask_padding: false"
            )


def know_where_the_padding_is(params: Params) -> Iterator[str]:
    """Augmentation takes the photo's box with it; so does the student's, which its teachers see too."""
    masking = dict(_masking(params))
    heard = mapping(params, "distill_student", "teachers")
    if any(f"train_teacher.{name}" in masking for name in heard):
        masking["distill_student"] = mapping(params, "distill_student")
    for name, network in masking.items():
        if moving := _first_that_moves(network.get("transforms")):
            yield (
                f"{name}.transforms holds {moving}, after which nobody knows where the padding is that mask_padding "
                f"hides; expected flips and crops ({listed(FIRST)}), then what leaves pixels in place "
                f"({listed(sorted(IN_PLACE - {'to_grey'}))})"
            )


def mask_nothing_in_browsers(params: Params) -> Iterator[str]:
    """What is exported is told nothing but the image."""
    if get(params, "distill_student", "mask_padding") is True:
        yield (
            "distill_student.mask_padding is true, but an exported network is given the image alone and cannot know "
            "what of it is padding; expected false (teachers may mask)"
        )


def _masking(params: Params) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The networks that mask, by their sections."""
    backbone = mapping(params, "embed", "backbone")
    for name, network in [("embed.backbone", backbone), *networks(params)]:
        if network.get("mask_padding") is True:
            yield name, network


def _first_that_moves(transforms: Any) -> str | None:
    """The first class of a list of transforms behind which the photo's box is not known; None: it always is."""
    is_first = True
    for name, is_inside in _classes(transforms):
        is_first = is_first and (name in FIRST or name == "Compose")
        if (is_inside or not is_first) and name not in IN_PLACE:
            return name
    return None


def _classes(transforms: Any, *, is_inside: bool = False) -> Iterator[tuple[str, bool]]:
    """Names of the classes in their order, and whether they stand inside of one that draws which of them acts."""
    for step in transforms if isinstance(transforms, list) else []:
        name = str(get(step, "_target_")).rpartition(".")[2]
        yield name, is_inside
        yield from _classes(get(step, "transforms"), is_inside=is_inside or name != "Compose")


PADDING_RULES: Final[dict[str, Callable[[Params], Iterator[str]]]] = {
    "padding that is masked is there": pad_what_is_masked,
    "it is known where masked padding is": know_where_the_padding_is,
    "what is exported masks no padding": mask_nothing_in_browsers,
}
