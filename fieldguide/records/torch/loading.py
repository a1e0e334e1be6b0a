"""Batches of photos, prepared in order by this process or by several.

A batch of a worker lies in memory that the network's process has, too.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from multiprocessing.connection import wait
from typing import Any, Final, Protocol, TypeVar

import torch
from torch import Tensor
from torch.utils.data import DataLoader, get_worker_info

from fieldguide.errors import FieldguideError, RecordError
from fieldguide.records.order import Key
from fieldguide.records.torch.slots import InSlot, Slots
from fieldguide.records.torch.workers import heed_parent_alone, starting_workers

AHEAD: Final = 2
"""Batches that each worker prepares before they are asked for."""
DYING_S: Final = 2
"""Seconds from the end of a worker's messages until it counts as dead."""

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
        worker_init_fn=heed_parent_alone,
        # Its seed would come from the global generator, which nothing here may depend on.
        generator=torch.Generator().manual_seed(0),
    )
    with starting_workers():
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


def empty_batch(num: int, side: int) -> Tensor:
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


def _as_it_is(batch: Any) -> Any:
    return batch
