"""Memory that workers write batches into and that is used again, batch after batch.

Otherwise each batch is a fresh piece of shared memory. The kernel clears its pages for the worker, maps them once more
for the process that reads them, and takes them back: a fifth of what a photo costs.

The memory has no name and lies in no file system: it is gone when the last process that has it is gone, however that
ended, and the size of /dev/shm does not bound it.
"""

import math
import mmap
import weakref
from dataclasses import dataclass
from itertools import count
from typing import Final

import numpy as np
import torch
from torch import Tensor

_ALL: Final["weakref.WeakValueDictionary[int, Slots]"] = weakref.WeakValueDictionary()
_NUMBERS: Final = count()


class Slots:
    """Places for batches, shared by this process and the workers that it forks once they are made.

    This process takes a slot and tells a worker its number; the worker fills it and sends an InSlot back, which this
    process opens. The slot is free again when nobody holds the opened tensor or a view of it, so a batch is never
    overwritten while it is looked at. Whoever keeps many finds that `take` gives None.
    """

    def __init__(self, num_slots: int, slot_bytes: int) -> None:
        self.number = next(_NUMBERS)
        self._memory = mmap.mmap(-1, max(1, num_slots * slot_bytes))
        self._slot_bytes = slot_bytes
        self._free = list(range(num_slots))
        _ALL[self.number] = self

    def take(self) -> int | None:
        """A free slot, no longer free; None if there is none."""
        return self._free.pop() if self._free else None

    def write(self, slot: int, shape: tuple[int, ...]) -> Tensor | None:
        """The slot as uint8 of `shape`, to be filled by a worker; None where it is too small."""
        return torch.from_numpy(self._array(slot, shape)) if math.prod(shape) <= self._slot_bytes else None

    def read(self, slot: int, shape: tuple[int, ...]) -> Tensor:
        """Likewise, to be read: the slot is free when the tensor and its views are gone."""
        array = self._array(slot, shape)
        weakref.finalize(array, self._free.append, slot).atexit = False
        return torch.from_numpy(array)

    def _array(self, slot: int, shape: tuple[int, ...]) -> np.ndarray:
        return np.ndarray(shape, np.uint8, self._memory, slot * self._slot_bytes)


@dataclass(frozen=True, slots=True)
class InSlot:
    """A batch's images as they travel from worker to reader: where they lie."""

    slots: int
    slot: int
    shape: tuple[int, ...]
    """Batch, height, width, 3."""

    def open(self) -> Tensor:
        """uint8 [batch, 3, height, width], channels last."""
        return _ALL[self.slots].read(self.slot, self.shape).permute(0, 3, 1, 2)

    def pin_memory(self) -> Tensor:
        """A copy that a GPU reads without waiting. torch's loader asks for it, in a thread of its own."""
        return self.open().pin_memory()
