"""Batches of photos as uint8 tensors, prepared in order by this process or by several.

A photo is decoded, cut and resized straight into its place in the batch, and a batch of a worker lies in shared memory
from the start: nothing is stacked, copied or normalised on the way. Normalising makes four bytes of each, so it is
left to the network's process and its device (`to_input`).
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Protocol, TypeVar

import torch
from torch import Tensor
from torch.utils.data import DataLoader, get_worker_info

from fieldguide.errors import FieldguideError, RecordError
from fieldguide.records.order import Key
from fieldguide.records.skim import Photo
from fieldguide.records.torch.augmentation import Augmentation, show_whole
from fieldguide.records.torch.randomness import drawn_from


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


LoadedBatch = TypeVar("LoadedBatch", covariant=True)


class BatchSource(Protocol[LoadedBatch]):
    """What `load_batches` takes: it makes the batch of some keys at once."""

    def load(self, keys: Sequence[Key]) -> LoadedBatch:
        """The batch of these keys. Raises FieldguideError where a photo cannot be read or decoded."""
        ...


def draw_photos(photos: Photos, keys: Sequence[Key], side: int, augmentation: Augmentation | None, seed: int) -> Tensor:
    """The photos of `keys` at `side` px: uint8 [batch, 3, side, side], channels last; in a worker, in shared memory.

    Each is augmented as (seed, view, photo id) say, whatever stands beside it. Raises RecordError where one cannot be
    read or decoded.
    """
    batch = _empty(len(keys), side)
    with _one_thread():
        for place, (view, index) in zip(batch, keys, strict=True):
            photo = photos.read_photo(index)
            try:
                if augmentation is None:
                    show_whole(photo.image, place)
                else:
                    with drawn_from(seed, view, photo.photo_id, torch_alone=augmentation.draws_from_torch_alone):
                        pixels = augmentation.prepare(photo.image, side)
                    place.copy_(pixels.permute(1, 2, 0))
            except OSError as error:
                raise RecordError(f"photo {photo.photo_id} of split {photos.split}: {error}") from None
    return batch.permute(0, 3, 1, 2)


def to_input(images: Tensor, mean: Sequence[float], std: Sequence[float]) -> Tensor:
    """uint8 [batch, 3, side, side], on any device, as a network's input there: (image / 255 - mean) / std in float32.

    Channels last, as torch computes convolutions fastest.
    """
    num, _, height, width = images.shape
    # Rows of [width * 3] values: a broadcast over the last three of them would be a slow loop.
    rows = images.permute(0, 2, 3, 1).contiguous().flatten(2)
    row_mean, row_std = (torch.tensor(list(values) * width, device=images.device) for values in (mean, std))
    inputs = torch.empty(rows.shape, device=images.device)
    # On a CPU a photo for each thread at a time: that stays in a core's cache from one operation to the next.
    at_once = torch.get_num_threads() if images.device.type == "cpu" else max(1, num)
    for source, target in zip(rows.split(at_once), inputs.split(at_once), strict=True):
        target.copy_(source).div_(255).sub_(row_mean).div_(row_std)
    return inputs.view(num, height, width, 3).permute(0, 3, 1, 2)


def load_batches(
    source: BatchSource[LoadedBatch], keys: Iterable[Sequence[Key]], workers: int
) -> Iterator[LoadedBatch]:
    """Yield one batch for each sequence of keys, in order, prepared by `workers` processes (0: this one)."""
    loader: DataLoader[Any] = DataLoader(
        _AtOnce(source),  # type: ignore[arg-type]  # torch asks for no more than it has
        batch_sampler=keys,  # type: ignore[arg-type]  # any iterable of key lists; torch names only its own class
        num_workers=workers,
        collate_fn=_as_it_is,
        pin_memory=torch.cuda.is_available(),
        # Forked workers share the records' memory map; a spawned one would import torch for seconds.
        multiprocessing_context="fork" if workers else None,
        # Its seed would come from the global generator, which nothing here may depend on.
        generator=torch.Generator().manual_seed(0),
    )
    try:
        yield from loader
    except FieldguideError as error:
        # From a worker it comes with the traceback as text; its last line is the message.
        message = str(error).strip().splitlines()[-1]
        raise type(error)(message.removeprefix(f"{type(error).__module__}.{type(error).__name__}: ")) from None


class _AtOnce:
    """A source as torch's loader asks for it; `_as_it_is` keeps the loader from taking the batch apart."""

    def __init__(self, source: BatchSource[Any]) -> None:
        self._source = source

    def __getitems__(self, keys: Sequence[Key]) -> Any:
        return self._source.load(keys)


def _empty(num: int, side: int) -> Tensor:
    """uint8 [num, side, side, 3], not initialised."""
    shape = (num, side, side, 3)
    if get_worker_info() is None:
        return torch.empty(shape, dtype=torch.uint8)
    # What torch's own collate function does: a tensor elsewhere would be copied here when it is sent.
    storage = torch.UntypedStorage._new_shared(num * side * side * 3)
    return torch.empty(0, dtype=torch.uint8).set_(storage).view(shape)


def _as_it_is(batch: Any) -> Any:
    return batch


@contextmanager
def _one_thread() -> Iterator[None]:
    """A photo is too small to be shared out: threads would wait for each other longer than they work."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
