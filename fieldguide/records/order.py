"""Which photos are in which batch: a pure function of seed and epoch, so that reading can be taken up at any batch.

Where several processes train together (ranks), each takes its part of every batch. All have equally many batches in
training, or the others would wait for ever; in evaluation every photo is in exactly one batch of one rank, and no
photo is repeated to fill a batch up.
"""

from collections.abc import Iterator, Sequence

import numpy as np

Key = tuple[int, int]
"""View and record index. A view is one way a photo is augmented: the epoch, or one of a student's K views."""


class BatchOrder:
    """The batches of a training: every epoch in another order."""

    def __init__(
        self,
        indices: Sequence[int] | np.ndarray,
        batch_size: int,
        seed: int,
        *,
        views: int | None,
        weights: np.ndarray | None = None,
        share: tuple[int, int] = (0, 1),
    ) -> None:
        """`indices` are the records to train on; `weights` float64 [len(indices)] how often each is drawn.

        Without weights every photo comes once an epoch, with them it is drawn with replacement. Epoch e shows view
        e, or e modulo `views`. Photos that do not fill a last batch sit out, other ones each epoch: a batch of one
        breaks BatchNorm.

        `share` is (rank, number of ranks). `batch_size` is that of one rank; together they take the batches that one
        rank with a batch that many times as large would take.
        """
        rank, num_ranks = share
        assert 0 <= rank < num_ranks, f"rank {rank} of {num_ranks}"
        self.batch_size = batch_size
        self._indices = np.asarray(indices, np.int64)
        self._part = min(batch_size, len(self._indices) // num_ranks)
        self._together = self._part * num_ranks
        self._first = rank * self._part
        self._seed = seed
        self._views = views
        self._weights = weights
        self._probabilities = None if weights is None else weights / weights.sum()

    def shared(self, rank: int, num_ranks: int) -> "BatchOrder":
        """The same batches, of which this rank takes its part; they are as large as they are for one rank alone."""
        return BatchOrder(
            self._indices,
            self.batch_size // num_ranks,
            self._seed,
            views=self._views,
            weights=self._weights,
            share=(rank, num_ranks),
        )

    @property
    def batches_per_epoch(self) -> int:
        """Number of batches of every epoch, the same for every rank."""
        return len(self._indices) // self._together if self._together else 0

    def batch(self, order: np.ndarray, epoch: int, step: int) -> list[Key]:
        """Keys of one batch of an epoch whose order is known."""
        view = epoch if self._views is None else epoch % self._views
        start = step * self._together + self._first
        return [(view, index) for index in order[start : start + self._part].tolist()]

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


def evaluation_batches(
    indices: Sequence[int] | np.ndarray, batch_size: int, share: tuple[int, int] = (0, 1)
) -> Iterator[list[Key]]:
    """Keys of the batches of rank `share[0]` of `share[1]`: every photo once, over all ranks together.

    Ranks take neighbouring stretches, so that their answers one after the other are in the order of `indices`. The
    last batch may be shorter, and a rank may have one batch less than another.
    """
    rank, num_ranks = share
    own = np.array_split(np.asarray(indices, np.int64), num_ranks)[rank]
    for start in range(0, len(own), batch_size):
        yield [(0, index) for index in own[start : start + batch_size].tolist()]
