"""Finished records as a data set of PyTorch, for training scripts of one's own. docs/readers.md has one of 20 lines."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import torch
from torch import Tensor
from torch.utils.data import Dataset

from fieldguide.errors import RecordError
from fieldguide.records.order import BatchOrder, Key, evaluation_batches
from fieldguide.records.reader import RecordSet
from fieldguide.records.torch.augmentation import Augmentation, Transform
from fieldguide.records.torch.drawing import draw_photos
from fieldguide.records.torch.loading import load_batches


class RecordDataset(Dataset[tuple[Tensor, int]]):
    """The photos of one split with their labels: a map-style data set, and whole batches at the speed of the decoder.

    `batches` is what training wants; as a plain data set it serves any DataLoader. Images are uint8; `to_input` makes
    a network's input of them, on the network's device.
    """

    def __init__(
        self,
        directory: str | Path,
        split: str,
        image_size: int,
        *,
        rank: str | None = None,
        transform: Transform | Sequence[Transform] = (),
        seed: int = 0,
    ) -> None:
        """`split` of a finished tfrecord folder, as squares of `image_size` px, labelled at `rank` (None: the first).

        `transform` is one function from PIL image to PIL image or several in order, such as those of
        torchvision.transforms.v2; what it draws depends on `seed`, epoch and photo, not on workers. Raises RecordError
        or CatalogueError where the folder is not whole or has no such split or rank.
        """
        self.records = RecordSet.open(Path(directory), split)
        ranks = self.records.taxonomy.ranks
        self.rank = ranks[0] if rank is None else rank
        if self.rank not in ranks:
            raise RecordError(f"{directory} has no rank {rank!r}; expected one of {', '.join(ranks)}")
        steps = transform if isinstance(transform, Sequence) else [transform]
        self.image_size = image_size
        self.classes = self.records.taxonomy.classes[self.rank]
        self.labels = torch.from_numpy(self.records.labels(self.rank))
        """int64 [num_records], indices into `classes`."""
        self._augmentation = Augmentation(steps) if steps else None
        self._seed = seed

    def __len__(self) -> int:
        return len(self.records)

    def __getitem__(self, key: int | Key) -> tuple[Tensor, int]:
        """Image uint8 [3, image_size, image_size] and label of a record, or of (epoch, record); alone it is epoch 0."""
        images, labels = self.load([key if isinstance(key, tuple) else (0, key)])
        return images[0], int(labels[0])

    def load(self, keys: Sequence[Key]) -> tuple[Tensor, Tensor]:
        """Images uint8 [batch, 3, image_size, image_size] and labels int64 [batch] of (epoch, record) pairs."""
        images = draw_photos(self.records, keys, self.image_size, self._augmentation, self._seed)
        return images, self.labels[[index for _, index in keys]]

    def batches(
        self,
        batch_size: int,
        *,
        epoch: int | None = None,
        step: int = 0,
        share: tuple[int, int] = (0, 1),
        workers: int = 0,
    ) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield the batches of an epoch of training, or with epoch None those of an evaluation: images and labels.

        In training all records are shuffled, as `seed` and `epoch` say, and a last batch that is not full is left out.
        `step` goes on behind so many batches: exactly where a run was killed, with any number of workers. In evaluation
        every record comes once, in stored order.

        `share` is (rank, number of ranks) of processes that work together, such as torchrun starts: in training all
        get equally many batches, in evaluation no record comes twice. `workers` processes prepare batches; 0: this one.
        """
        indices = range(len(self))
        if epoch is None:
            keys = list(evaluation_batches(indices, batch_size, share))[step:]
            return load_batches(self, keys, workers)
        order = BatchOrder(indices, batch_size, self._seed, views=None, share=share)
        return load_batches(self, order.iterate(epoch + 1, epoch=epoch, step=step), workers)
