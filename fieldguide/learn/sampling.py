"""The order of photos: a pure function of seed and epoch, so that training can be taken up at any batch."""

from collections.abc import Iterator, Sequence

import numpy as np

from fieldguide.learn.dataset import Key


class BatchOrder:
    """Which photos are in which batch of which epoch."""

    def __init__(
        self,
        indices: Sequence[int],
        batch_size: int,
        seed: int,
        *,
        views: int | None,
        weights: np.ndarray | None = None,
    ) -> None:
        """`indices` are the records to train on; `weights` float64 [len(indices)] how often each is drawn.

        Without weights every photo comes once an epoch, with them it is drawn with replacement. Epoch e shows view
        e, or e modulo `views`. Photos that do not fill a last batch sit out, other ones each epoch: a batch of one
        breaks BatchNorm.
        """
        self._indices = np.asarray(indices, np.int64)
        self._batch_size = min(batch_size, len(indices))
        self._seed = seed
        self._views = views
        self._probabilities = None if weights is None else weights / weights.sum()

    @property
    def batches_per_epoch(self) -> int:
        """Number of batches of every epoch."""
        return len(self._indices) // self._batch_size

    def batch(self, order: np.ndarray, epoch: int, step: int) -> list[Key]:
        """Keys of one batch of an epoch whose order is known."""
        view = epoch if self._views is None else epoch % self._views
        part = order[step * self._batch_size : (step + 1) * self._batch_size]
        return [(view, index) for index in part.tolist()]

    def epoch_order(self, epoch: int) -> np.ndarray:
        """Record indices in the order of this epoch: int64 [len(indices)]."""
        generator = np.random.default_rng((self._seed, epoch))
        if self._probabilities is None:
            return generator.permutation(self._indices)
        return generator.choice(self._indices, len(self._indices), p=self._probabilities)

    def iterate(self, epochs: int, *, epoch: int = 0, step: int = 0) -> Iterator[list[Key]]:
        """Keys of every batch from batch `step` of `epoch` to the end of the last epoch."""
        for number in range(epoch, epochs):
            order = self.epoch_order(number)
            for batch in range(step if number == epoch else 0, self.batches_per_epoch):
                yield self.batch(order, number, batch)


def balance_weights(labels: np.ndarray, fraction: float) -> np.ndarray:
    """How often to draw each photo: (N / n_c) ^ fraction for a class of n_c of the N photos.

    `labels` int64 [N]; 0 draws photos evenly, 1 draws classes evenly. Returns float64 [N].
    """
    classes, inverse, counts = np.unique(labels, return_inverse=True, return_counts=True)
    assert len(classes) == len(counts)
    return (len(labels) / counts[inverse]) ** fraction
