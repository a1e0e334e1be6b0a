"""Batches of photos as uint8 tensors, prepared in order by this process or by several.

A photo is decoded, cut and resized straight into its place in the batch, and a batch of a worker lies in memory that
the network's process has, too: nothing is stacked, copied or normalised on the way. Normalising makes four bytes of
each, so it is left to the network's process and its device (`to_input`).
"""

import os
import signal
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import chain
from multiprocessing.connection import wait
from typing import Any, Final, Protocol, TypeVar

import torch
from torch import Tensor
from torch.utils.data import DataLoader, get_worker_info

from fieldguide.errors import FieldguideError, RecordError
from fieldguide.records.order import Key
from fieldguide.records.pixels import read_size
from fieldguide.records.skim import Photo
from fieldguide.records.torch.augmentation import Augmentation, show_whole
from fieldguide.records.torch.part import Part
from fieldguide.records.torch.randomness import drawn_from
from fieldguide.records.torch.slots import InSlot, Slots
from fieldguide.records.torch.valid_box import follow_box

AHEAD: Final = 2
"""Batches that each worker prepares before they are asked for."""
DYING_S: Final = 2
"""Seconds from the end of a worker's messages until it counts as dead."""


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

    @property
    def image_size(self) -> int:
        """Side of its images, px."""
        ...

    def load(self, keys: Sequence[Key]) -> LoadedBatch:
        """The batch of these keys. Raises FieldguideError where a photo cannot be read or decoded."""
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
    batch = _empty(len(keys), side)
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


def load_batches(
    source: BatchSource[LoadedBatch], keys: Iterable[Sequence[Key]], workers: int
) -> Iterator[LoadedBatch]:
    """Yield one batch for each sequence of keys, in order, prepared by `workers` processes (0: this one).

    Raises FieldguideError where a photo cannot be read or decoded, RecordError where a worker was killed.
    """
    if workers == 0:
        yield from map(source.load, keys)
        return
    keys = iter(keys)
    first = next(keys, ())
    # Two more than can be on their way: one that is used, and the one before, to which a loop still has a name.
    slots = Slots(AHEAD * workers + 2, len(first) * source.image_size**2 * 3)
    # Any iterable serves; torch names only its own class.
    requests: Any = ((slots.take(), some) for some in chain([first] if first else [], keys))
    loader: DataLoader[Any] = DataLoader(
        _AtOnce(source, slots),  # type: ignore[arg-type]  # torch asks for no more than it has
        batch_sampler=requests,
        num_workers=workers,
        prefetch_factor=AHEAD,
        collate_fn=_as_it_is,
        pin_memory=torch.cuda.is_available(),
        # Forked workers share slots and the records' memory map; a spawned one would import torch for seconds.
        multiprocessing_context="fork",
        worker_init_fn=_stand_apart,
        # Its seed would come from the global generator, which nothing here may depend on.
        generator=torch.Generator().manual_seed(0),
    )
    with _no_deaths_by_signal():
        batches: Any = iter(loader)
    try:
        for batch in batches:
            if isinstance(batch, FieldguideError):
                raise batch
            yield _opened(batch)
    except FieldguideError:
        raise
    except Exception:
        # A worker that dies amid a message leaves half of it, and what that is taken for has many names.
        ended = wait([worker.sentinel for worker in batches._workers], DYING_S)
        dead = [worker for worker in batches._workers if worker.sentinel in ended]
        for worker in dead:
            worker.join(DYING_S)  # its files are closed a moment before it is over
        if not dead:
            raise
        raise RecordError(
            f"one of {workers} workers that prepare photos is gone (process {dead[0].pid}, exit code "
            f"{dead[0].exitcode}); where memory ran out, take fewer workers or smaller batches"
        ) from None
    finally:
        del batches  # whoever keeps the error keeps this frame, and would keep the workers with it


@contextmanager
def _no_deaths_by_signal() -> Iterator[None]:
    """Leave SIGCHLD as it is: torch would raise the death of a worker wherever the program is when it hears of it.

    Without that it looks after its workers every few seconds that it waits for them.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.getsignal(signal.SIGCHLD)
    try:
        yield
    finally:
        signal.signal(signal.SIGCHLD, before)


def _stand_apart(worker: int) -> None:
    """Make a worker a group of processes of its own.

    torch lets SIGTERM end its workers, and a scheduler or a terminal sends a signal to all of a group at once: the loop
    then ended with the death of a worker in the place of a checkpoint.
    """
    os.setpgid(0, 0)


class _AtOnce:
    """A source as torch's loader asks for it; `_as_it_is` keeps the loader from taking the batch apart."""

    def __init__(self, source: BatchSource[Any], slots: Slots) -> None:
        self._source, self._slots = source, slots
        self._slot: int | None = None
        self._images: Tensor | None = None

    def __getitems__(self, request: tuple[int | None, Sequence[Key]]) -> Any:
        self._slot, keys = request
        self._images = None
        try:
            batch = self._source.load(keys)
        except FieldguideError as error:
            # Sent, not raised: torch would raise it anew with a traceback in the place of its message.
            return error
        return tuple(map(self._pack, batch)) if type(batch) is tuple else self._pack(batch)

    def make_room(self, shape: tuple[int, ...]) -> Tensor | None:
        """The slot of the batch that is being made, once; None where there is none or it is too small."""
        if self._slot is None or self._images is not None:
            return None
        self._images = self._slots.write(self._slot, shape)
        return self._images

    def _pack(self, value: Any) -> Any:
        """The images as where they lie; anything else is copied by torch on its way."""
        if self._slot is None or self._images is None or not isinstance(value, Tensor):
            return value
        if not value.is_set_to(self._images.permute(0, 3, 1, 2)):
            return value
        return InSlot(self._slots.number, self._slot, tuple(self._images.shape))


def _opened(batch: Any) -> Any:
    if type(batch) is tuple:
        return tuple(map(_opened, batch))
    return batch.open() if isinstance(batch, InSlot) else batch


def _empty(num: int, side: int) -> Tensor:
    """uint8 [num, side, side, 3], not initialised; in a worker, where the network's process finds it."""
    shape = (num, side, side, 3)
    worker = get_worker_info()
    if worker is None:
        return torch.empty(shape, dtype=torch.uint8)
    room = worker.dataset.make_room(shape) if isinstance(worker.dataset, _AtOnce) else None
    if room is not None:
        return room
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
