"""Photos as batches of pixels for one network, each augmented as its own (seed, view, photo id) says."""

from collections.abc import Iterable, Sequence

import torch
from torch import Tensor

from fieldguide.learn.description import NetworkSpec
from fieldguide.learn.params import BackboneParams
from fieldguide.records.order import Key
from fieldguide.records.torch.augmentation import Augmentation
from fieldguide.records.torch.loading import Photos, draw_photos, load_batches

__all__ = ["Batch", "Key", "PhotoDataset", "Photos", "chunk_keys", "load_batches"]

Batch = tuple[Tensor, Tensor, Tensor]
"""Images uint8 [batch, 3, S, S], views int64 [batch], record indices int64 [batch]."""


class PhotoDataset:
    """Photos as one network is shown them; without augmentation as it is evaluated.

    `loading.to_input` makes the network's input of a batch.
    """

    def __init__(
        self,
        records: Photos,
        spec: BackboneParams | NetworkSpec,
        augmentation: Augmentation | None = None,
        seed: int = 0,
    ) -> None:
        self.records = records
        self.spec = spec
        self.augmentation = augmentation
        self.seed = seed

    def __len__(self) -> int:
        return len(self.records)

    @property
    def image_size(self) -> int:
        """Side of the images, px."""
        return self.spec.image_size

    def __getitem__(self, key: Key) -> tuple[Tensor, int, int]:
        """Image uint8 [3, S, S], view and index of one photo."""
        images, _, _ = self.load([key])
        return images[0], *key

    def load(self, keys: Sequence[Key]) -> Batch:
        """The batch of these keys. Raises RecordError where a photo cannot be read or decoded."""
        images = draw_photos(self.records, keys, self.spec.image_size, self.augmentation, self.seed)
        views, indices = torch.tensor(keys, dtype=torch.int64).T.contiguous()
        return images, views, indices


def chunk_keys(indices: Iterable[int], batch_size: int, view: int = 0) -> list[list[Key]]:
    """Keys of all `indices` in order, `batch_size` at a time; the last batch may be shorter."""
    keys = [(view, int(index)) for index in indices]
    return [keys[start : start + batch_size] for start in range(0, len(keys), batch_size)]
