"""Training photos straight from their originals: the shards of fetch, the cache of a stream, or where they came from.

They are what the records are, one by one: the same photos, labels and order, and the same squares but for what is lost
where one is encoded. The records' digests of the originals say which photos these are, so the catalogue may have grown
since; a photo that is not the very same file any more counts as one that cannot be had.
"""

import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from fieldguide.errors import PhotoError
from fieldguide.learn.checkpoint import RunFolder
from fieldguide.learn.dataset import Batch, Key, PhotoDataset
from fieldguide.learn.description import NetworkSpec
from fieldguide.learn.original_places import OriginalPlaces
from fieldguide.learn.setup import TrainingSetup
from fieldguide.learn.skipped import SkippedPhotos
from fieldguide.learn.training_params import TeacherParams
from fieldguide.records.reader import RecordSet
from fieldguide.records.skim import Photo
from fieldguide.records.squaring import cut_square
from fieldguide.records.torch.augmentation import Augmentation
from fieldguide.records.torch.randomness import seed_of

SKIPPED_FILE = "skipped.txt"


class CataloguePhotos:
    """The photos of records as a dataset reads them. `bring` comes first, and says which ones a batch shows."""

    def __init__(
        self,
        records: RecordSet,
        tfrecord: Path,
        fetch: Path,
        indices: np.ndarray,
        *,
        seed: int,
        skipped: SkippedPhotos,
        num_readers: int = 1,
    ) -> None:
        """`indices` int64 [n] are the records that are learnt from; `num_readers` processes read at once.

        Raises RecordError where the catalogue is missing.
        """
        self.split = records.split
        self.photo_ids, self._style = records.photo_ids, records.style
        self._indices, self._seed, self._skipped = indices, seed, skipped
        self._places = OriginalPlaces(records, tfrecord, fetch, num_readers)
        self._brought: dict[int, Photo] = {}

    def __len__(self) -> int:
        return len(self.photo_ids)

    def read_photo(self, index: int) -> Photo:
        """A photo that `bring` brought last."""
        return self._brought[index]

    def bring(self, keys: Sequence[Key]) -> list[Key]:
        """Get the photos of a batch, and say which ones it shows.

        In the place of one that cannot be had stands another training photo, drawn by the key alone, and another one
        again if that cannot be had either: never an empty square. Raises PhotoError where they are too many.
        """
        self._brought, shown = {}, list(keys)
        num_drawn = [0] * len(keys)
        waiting: Sequence[int] = range(len(keys))
        while waiting:
            for place in waiting:
                while shown[place] in self._skipped:
                    num_drawn[place] += 1
                    shown[place] = self._draw(keys[place], num_drawn[place])
            self._get({shown[place] for place in waiting if shown[place][1] not in self._brought})
            waiting = [place for place in waiting if shown[place] in self._skipped]
        return shown

    def _draw(self, key: Key, count: int) -> Key:
        number = seed_of(self._seed, "in the place of", *key, count) % len(self._indices)
        return key[0], int(self._indices[number])

    def _get(self, keys: set[Key]) -> None:
        indices = {index for _, index in keys}
        reasons = {index: reason for index in indices if (reason := self._places.why_not(index))}
        for index, content in self._places.read(indices - reasons.keys()).items():
            if isinstance(content, str):
                reasons[index] = content
                continue
            try:
                self._brought[index] = self._square(index, content)
            except PhotoError:
                reasons[index] = "undecodable"
        for key in sorted(keys):
            if key[1] in reasons:
                self._skipped.add(key, reasons[key[1]])

    def _square(self, index: int, content: bytes) -> Photo:
        # A PNG, not compressed: nothing is lost, and it takes no time.
        square, geometry = cut_square(content, self._style, self._places.box_of(index))
        stream = io.BytesIO()
        square.save(stream, "PNG", compress_level=0)
        left, top, right, bottom = geometry["box"]
        return Photo(self.photo_ids[index], stream.getvalue(), (left, top, right, bottom))


class CatalogueDataset(PhotoDataset):
    """A PhotoDataset over CataloguePhotos: it gets all photos of a batch at once."""

    def __init__(self, photos: CataloguePhotos, spec: NetworkSpec, augmentation: Augmentation, seed: int) -> None:
        super().__init__(photos, spec, augmentation, seed)
        self.catalogue = photos

    def load(self, keys: Sequence[Key]) -> Batch:
        """The batch of these keys, with others in the place of photos that cannot be had."""
        return super().load(self.catalogue.bring(keys))


def open_photos(
    params: TeacherParams,
    setup: TrainingSetup,
    augmentation: Augmentation,
    tfrecord: Path,
    fetch: Path,
    folder: RunFolder,
) -> tuple[CatalogueDataset, SkippedPhotos]:
    """The photos to learn from, and which of them are skipped, which `folder` remembers.

    Raises RecordError where `fetch` has no catalogue.
    """
    skipped = SkippedPhotos(folder.path / SKIPPED_FILE, len(setup.indices), params.max_failure_rate)
    photos = CataloguePhotos(
        setup.records,
        tfrecord,
        fetch,
        setup.indices,
        seed=params.seed,
        skipped=skipped,
        num_readers=max(1, params.workers),
    )
    return CatalogueDataset(photos, setup.network.spec, augmentation, params.seed), skipped
