"""Photos as batches of pixels for one network, each augmented as its own (seed, view, photo id) says."""

from collections.abc import Iterable, Sequence

import torch
from torch import Tensor

from fieldguide.errors import ParamsError
from fieldguide.learn.description import NetworkSpec
from fieldguide.learn.padding import hide_padding
from fieldguide.learn.params import BackboneParams
from fieldguide.padding_rules import IN_PLACE
from fieldguide.records.order import Key
from fieldguide.records.torch.augmentation import Augmentation
from fieldguide.records.torch.drawing import Photos, draw_photos, to_input
from fieldguide.records.torch.loading import load_batches

__all__ = ["Batch", "Key", "PhotoDataset", "Photos", "chunk_keys", "load_batches", "make_input"]

Batch = tuple[Tensor, Tensor, Tensor, Tensor | None]
"""Images uint8 [batch, 3, S, S], views int64 [batch], record indices int64 [batch], and for a network that masks
padding the box of the photo in each image, int64 [batch, 4]: left, top, right, bottom, px."""


class PhotoDataset:
    """Photos as one network is shown them; without augmentation as it is evaluated.

    `make_input` makes the network's input of a batch.
    """

    def __init__(
        self,
        records: Photos,
        spec: BackboneParams | NetworkSpec,
        augmentation: Augmentation | None = None,
        seed: int = 0,
    ) -> None:
        """Raises ParamsError where the network masks padding and the augmentation moves pixels in unknown ways."""
        self.records = records
        self.spec = spec
        self.augmentation = augmentation
        self.seed = seed
        if spec.mask_padding and augmentation:
            _check_that_boxes_follow(augmentation)

    def __len__(self) -> int:
        return len(self.records)

    @property
    def image_size(self) -> int:
        """Side of the images, px."""
        return self.spec.image_size

    def __getitem__(self, key: Key) -> tuple[Tensor, int, int]:
        """Image uint8 [3, S, S], view and index of one photo."""
        images = self.load([key])[0]
        return images[0], *key

    def load(self, keys: Sequence[Key]) -> Batch:
        """The batch of these keys. Raises RecordError where a photo cannot be read or decoded."""
        images, boxes = self.draw(keys, self.spec.image_size)
        views, indices = torch.tensor(keys, dtype=torch.int64).T.contiguous()
        return images, views, indices, boxes

    def draw(self, keys: Sequence[Key], side: int) -> tuple[Tensor, Tensor | None]:
        """Images of these keys at `side` px and, where the network masks padding, the photos' boxes in them."""
        boxes = torch.empty(len(keys), 4, dtype=torch.int64) if self.spec.mask_padding else None
        return draw_photos(self.records, keys, side, self.augmentation, self.seed, boxes), boxes


def _check_that_boxes_follow(augmentation: Augmentation) -> None:
    """Raise ParamsError unless it is known where in an augmented image the photo lies."""
    for step in augmentation.later_steps:
        name = getattr(step, "__name__", type(step).__name__)
        if name not in IN_PLACE:
            raise ParamsError(
                f"transforms: {name} stands where nobody knows any more where the padding is that mask_padding hides; "
                "expected flips, crops and one antialiased RandomResizedCrop at the beginning, then what leaves pixels "
                "in place"
            )


def make_input(
    images: Tensor, boxes: Tensor | None, spec: BackboneParams | NetworkSpec, device: torch.device
) -> Tensor:
    """A batch's images as what the network of `spec` is given: float32 [batch, 3, S, S] on `device`.

    Where there are boxes, what lies outside of them is NaN (padding.py).
    """
    inputs = to_input(images.to(device, non_blocking=True), spec.mean, spec.std)
    return inputs if boxes is None else hide_padding(inputs, boxes)


def chunk_keys(indices: Iterable[int], batch_size: int, view: int = 0) -> list[list[Key]]:
    """Keys of all `indices` in order, `batch_size` at a time; the last batch may be shorter."""
    keys = [(view, int(index)) for index in indices]
    return [keys[start : start + batch_size] for start in range(0, len(keys), batch_size)]
