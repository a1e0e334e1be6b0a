"""Photos as uint8 tensors: each is decoded, cut and resized straight into its place in the batch.

Nothing is stacked, copied or normalised on the way. Normalising makes four bytes of each, so it is left to the
network's process and its device (`to_input`).
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol

import torch
from torch import Tensor

from fieldguide.errors import RecordError
from fieldguide.records.order import Key
from fieldguide.records.pixels import read_size
from fieldguide.records.skim import Photo
from fieldguide.records.torch.augmentation import Augmentation, show_whole
from fieldguide.records.torch.loading import empty_batch
from fieldguide.records.torch.part import Part
from fieldguide.records.torch.randomness import drawn_from
from fieldguide.records.torch.valid_box import follow_box


class Photos(Protocol):
    """Where photos come from: a RecordSet, or anything that can be asked like one."""

    split: str

    @property
    def photo_ids(self) -> Sequence[str]:
        """Of all of them, in order."""
        ...

    def __len__(self) -> int: ...

    def read_photo(self, index: int) -> Photo:
        """Photo id and encoded image. Raises FieldguideError where it cannot be had."""
        ...


def draw_photos(
    photos: Photos,
    keys: Sequence[Key],
    side: int,
    augmentation: Augmentation | None,
    seed: int,
    boxes: Tensor | None = None,
) -> Tensor:
    """The photos of `keys` at `side` px: uint8 [batch, 3, side, side], channels last; in a worker, in shared memory.

    Each is augmented as (seed, view, photo id) say, whatever stands beside it. `boxes` int64 [batch, 4] is filled with
    the part of each image that is photo and not padding (valid_box.py); steps behind the flips and crops at the
    beginning have to leave it where it is. Raises RecordError where a photo cannot be read or decoded, or its box is
    wanted and not known.
    """
    batch = empty_batch(len(keys), side)
    found = [photos.read_photo(index) for _, index in keys]
    with _one_thread():
        if augmentation is None:
            for photo, place in zip(found, batch, strict=True):
                with _named(photo, photos.split):
                    show_whole(photo.image, place)
            parts = [] if boxes is None else [Part(0, 0, *read_size(photo.image)) for photo in found]
        else:
            parts = _augment(augmentation, seed, [view for view, _ in keys], found, photos.split, batch)
    if boxes is not None:
        for photo, part, box in zip(found, parts, boxes, strict=True):
            if photo.box is None:
                raise RecordError(
                    f"photo {photo.photo_id} of split {photos.split}: nothing says where the photo lies in its square; "
                    "expected its box, or mask_padding: false"
                )
            sizes = augmentation.sizes(part, (side, side)) if augmentation else [(side, side)]
            box.copy_(torch.tensor(follow_box(photo.box, part, sizes)))
    return batch.permute(0, 3, 1, 2)


def _augment(
    augmentation: Augmentation, seed: int, views: Sequence[int], found: Sequence[Photo], split: str, batch: Tensor
) -> list[Part]:
    """Show `found` in `batch` uint8 [batch, side, side, 3], each in its view; the part of each that is shown.

    What can be is drawn for all of them first. Between the decoding of two photos it would take three times as long: by
    then, what Python and torch need for it has left the processor's caches.
    """
    places = batch.permute(0, 3, 1, 2)[:, None].unbind()
    parts = []
    for photo, view, place in zip(found, views, places, strict=True):
        with (
            _named(photo, split),
            drawn_from(seed, view, photo.photo_id, torch_alone=augmentation.draws_from_torch_alone),
        ):
            parts.append(augmentation.draw(photo.image))
            if not augmentation.draws_ahead:
                augmentation.show(photo.image, parts[-1], place)
    if augmentation.draws_ahead:
        for photo, part, place in zip(found, parts, places, strict=True):
            with _named(photo, split):
                augmentation.show(photo.image, part, place)
    return parts


@contextmanager
def _named(photo: Photo, split: str) -> Iterator[None]:
    """An error of decoding says which photo it was."""
    try:
        yield
    except OSError as error:
        raise RecordError(f"photo {photo.photo_id} of split {split}: {error}") from None


def to_input(images: Tensor, mean: Sequence[float], std: Sequence[float]) -> Tensor:
    """uint8 [batch, 3, side, side], on any device, as a network's input there: (image / 255 - mean) / std in float32.

    Channels last, as torch computes convolutions fastest.
    """
    num, _, height, width = images.shape
    # Rows of [width * 3] values: a broadcast over the last three of them would be a slow loop.
    rows = images.permute(0, 2, 3, 1).contiguous().flatten(2)
    row_mean, row_std, row_range = (
        torch.tensor(list(values) * width, device=images.device) for values in (mean, std, [255.0] * 3)
    )
    inputs = torch.empty(rows.shape, device=images.device)
    # On a CPU a photo for each thread at a time: that stays in a core's cache from one operation to the next.
    at_once = torch.get_num_threads() if images.device.type == "cpu" else max(1, num)
    for source, target in zip(rows.split(at_once), inputs.split(at_once), strict=True):
        # Division and subtraction in one go, rounded one after the other all the same.
        torch.addcdiv(-row_mean, target.copy_(source), row_range, out=target).div_(row_std)
    return inputs.view(num, height, width, 3).permute(0, 3, 1, 2)


@contextmanager
def _one_thread() -> Iterator[None]:
    """A photo is too small to be shared out: threads would wait for each other longer than they work."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
