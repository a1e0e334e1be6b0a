"""What a student and its teachers are shown: photos in a limited number of views, alone or in pairs.

The teachers see exactly the image that the student sees, in K views of each photo that come round epoch after epoch: "a
good teacher is patient and consistent" (Beyer et al., 2022). One fixed crop would be learnt by heart.
"""

from collections.abc import Sequence

import torch

from fieldguide.learn.dataset import Batch, Key, PhotoDataset
from fieldguide.learn.description import NetworkSpec
from fieldguide.learn.pairs import Pairs
from fieldguide.records.torch.augmentation import Augmentation
from fieldguide.records.torch.drawing import Photos


class ViewDataset(PhotoDataset):
    """Photos in a limited number of views: the key's view is an epoch, of which the view is the rest."""

    def __init__(
        self,
        records: Photos,
        spec: NetworkSpec,
        augmentation: Augmentation | None,
        seed: int,
        *,
        views: int,
        pairs: Pairs | None = None,
        sides: Sequence[tuple[int, int]] = (),
    ) -> None:
        """`sides` are (epochs, side of the images in px) from the first epoch on; after them it is the network's."""
        super().__init__(records, spec, augmentation, seed)
        self.views, self.pairs = views, pairs
        self._sides = [side for epochs, side in sides for _ in range(epochs)]

    def load(self, keys: Sequence[Key]) -> Batch:
        """The batch of these keys, all of one epoch where sides differ. Raises RecordError as PhotoDataset does."""
        epoch = keys[0][0]
        side = self._sides[epoch] if epoch < len(self._sides) else self.spec.image_size
        shown = [(number % self.views, index) for number, index in keys]
        images, boxes = self.draw(shown, side)
        views, indices = torch.tensor(shown, dtype=torch.int64).T.contiguous()
        if self.pairs:
            mates, shares = self.pairs.of_batch(views, indices)
            if len(mixed := torch.nonzero(shares < 1)[:, 0]):
                above, boxes_above = self.draw(torch.stack([views, mates], dim=1)[mixed].tolist(), side)
                share = shares[mixed, None, None, None]
                images[mixed] = (share * images[mixed] + (1 - share) * above).round().to(torch.uint8)
                if boxes is not None and boxes_above is not None:
                    # A pixel belongs to the pair where it does to both.
                    starts, ends = boxes[mixed].maximum(boxes_above)[:, :2], boxes[mixed].minimum(boxes_above)[:, 2:]
                    boxes[mixed] = torch.cat([starts, ends], dim=1)
        return images, views, indices, boxes
