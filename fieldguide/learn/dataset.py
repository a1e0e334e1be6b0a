"""Photos of a RecordSet as batches of inputs, each augmented as its own (seed, view, photo id) says."""

from collections.abc import Iterable, Iterator, Sequence

import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from fieldguide.errors import FieldguideError, RecordError
from fieldguide.learn.description import NetworkSpec
from fieldguide.learn.params import BackboneParams
from fieldguide.learn.randomness import drawn_from
from fieldguide.learn.transforms import Transform, decode, to_input
from fieldguide.records.reader import RecordSet

Key = tuple[int, int]
"""View and record index. A view is one way a photo is augmented: the epoch, or one of a student's K views."""

Batch = tuple[Tensor, Tensor, Tensor]
"""Inputs float32 [batch, 3, S, S], views int64 [batch], record indices int64 [batch]."""


class PhotoDataset(Dataset[tuple[Tensor, int, int]]):
    """Records as the input of one network; without transforms as it is evaluated."""

    def __init__(
        self, records: RecordSet, spec: BackboneParams | NetworkSpec, transform: Transform | None = None, seed: int = 0
    ) -> None:
        self.records = records
        self.spec = spec
        self.transform = transform
        self.seed = seed

    def __len__(self) -> int:
        return len(self.records)

    def __getitem__(self, key: Key) -> tuple[Tensor, int, int]:
        """Input, view and index of the photo at `key`. Raises RecordError where it cannot be read or decoded."""
        view, index = key
        record = self.records[index]
        try:
            image = decode(record.image)
        except OSError as error:
            raise RecordError(f"photo {record.photo_id} of split {self.records.split}: {error}") from None
        if self.transform is not None:
            with drawn_from(self.seed, view, record.photo_id):
                image = self.transform(image)
        return to_input(image, self.spec.image_size, self.spec.mean, self.spec.std), view, index


def load_batches(dataset: PhotoDataset, keys: Iterable[Sequence[Key]], workers: int) -> Iterator[Batch]:
    """Yield one batch for each sequence of keys, in order, prepared by `workers` processes (0: this one)."""
    loader = DataLoader(
        dataset,
        batch_sampler=keys,  # type: ignore[arg-type]  # any iterable of key lists; torch names only its own class
        num_workers=workers,
        pin_memory=torch.cuda.is_available(),
        # Forked workers share the records' memory map; a spawned one would import torch for seconds.
        multiprocessing_context="fork" if workers else None,
        # Threads of a worker would fight for the cores with the training itself.
        worker_init_fn=_use_one_thread if workers else None,
        # Its seed would come from the global generator, which nothing here may depend on.
        generator=torch.Generator().manual_seed(0),
    )
    try:
        yield from loader
    except FieldguideError as error:
        # From a worker it comes with the traceback as text; its last line is the message.
        message = str(error).strip().splitlines()[-1]
        raise type(error)(message.removeprefix(f"{type(error).__module__}.{type(error).__name__}: ")) from None


def chunk_keys(indices: Iterable[int], batch_size: int, view: int = 0) -> list[list[Key]]:
    """Keys of all `indices` in order, `batch_size` at a time; the last batch may be shorter."""
    keys = [(view, int(index)) for index in indices]
    return [keys[start : start + batch_size] for start in range(0, len(keys), batch_size)]


def _use_one_thread(_worker: int) -> None:
    torch.set_num_threads(1)
