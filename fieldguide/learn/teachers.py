"""Teachers: what each says about every view of every photo, asked once and kept for all runs (answer_cache.py).

A piece of answers is named by the digest of what it answers: the records, by their shards' digests, the view, and the
photos that lie over them. So what was added or changed costs its shards, a kill costs one piece, and a run with
another temperature, loss, student or number of epochs costs nothing; one in another precision asks anew. A batch never
holds photos of two pieces, and its size is not the student's: a piece has the same bits whenever it is computed.
"""

import hashlib
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import overload

import numpy as np
import torch
from torch import Tensor, nn

from fieldguide.digests import is_sealed
from fieldguide.files import file_sha256
from fieldguide.learn.answer_cache import AnswerCache
from fieldguide.learn.answer_forms import Answer, AnswerForm, choose_form
from fieldguide.learn.dataset import Key
from fieldguide.learn.description import BEST_FILE, SPEC_FILE, NetworkSpec
from fieldguide.learn.device import in_precision, precision_of_passes
from fieldguide.learn.embedding import BATCHES_PER_PIECE, Piece, compute_pieces
from fieldguide.learn.fingerprint import Fingerprint, describe_device, describe_software, make_fingerprint
from fieldguide.learn.network import Network, classifier_of, load_network
from fieldguide.learn.pairs import Pairs
from fieldguide.learn.student_params import DistillationParams
from fieldguide.learn.transforms import build_transforms
from fieldguide.learn.views import ViewDataset
from fieldguide.records.manifest import ShardEntry
from fieldguide.records.reader import RecordSet

log = logging.getLogger(__name__)

BATCH_SIZE = 64
"""Images that a teacher is asked about at once."""
OPEN_PIECES = 1024
"""Maps of pieces that are kept at once, for each teacher."""


@dataclass(frozen=True)
class Teacher:
    """A trained network and the folder that it lies in."""

    network: Network
    folder: Path

    @classmethod
    def load(cls, folder: Path) -> "Teacher":
        """Raises TrainingError or RecordError where the folder holds no whole network."""
        return cls(load_network(folder), folder)

    @property
    def files(self) -> list[Path]:
        """What decides its answers."""
        return [self.folder / file for file in (SPEC_FILE, BEST_FILE)]


@dataclass(frozen=True)
class AnswerPlan:
    """Which pieces hold the answers about the photos at `indices`; the same for every view."""

    chunks: list[np.ndarray]
    """int64 record indices of each piece, all of one shard."""
    digests: list[list[str]]
    """Of each view and piece: what it is that is answered."""
    piece_of: np.ndarray
    """int64 [num_records]: the piece of each record."""
    row_of: np.ndarray
    """int64 [num_records]: its row there."""

    @classmethod
    def of(cls, shards: Sequence[ShardEntry], indices: np.ndarray, views: int, pairs: Pairs | None) -> "AnswerPlan":
        """`shards` in the order of the records, `indices` int64 in theirs."""
        step = BATCH_SIZE * BATCHES_PER_PIECE
        ends = np.cumsum([shard.num_records for shard in shards])
        digests = np.stack([np.frombuffer(bytes.fromhex(shard.sha256), np.uint8) for shard in shards])
        shard_of = np.repeat(np.arange(len(shards)), [shard.num_records for shard in shards])
        place_of = np.arange(len(shard_of)) - (ends - [shard.num_records for shard in shards])[shard_of]
        cuts = np.searchsorted(indices, ends)[:-1]
        chunks = [part[start : start + step] for part in np.split(indices, cuts) for start in range(0, len(part), step)]
        piece_of, row_of = np.full((2, len(shard_of)), -1, np.int64)
        for number, chunk in enumerate(chunks):
            piece_of[chunk], row_of[chunk] = number, np.arange(len(chunk))

        def digest(view: int, chunk: np.ndarray) -> str:
            named = [np.array([view]), digests[shard_of[chunk]], place_of[chunk]]
            if pairs:
                paired = pairs.of_view(view)
                mates = paired.mates[chunk]
                named += [digests[shard_of[mates]], place_of[mates], paired.shares[chunk]]
            whole = hashlib.sha256()
            for values in named:
                whole.update(np.ascontiguousarray(values).tobytes())
            return whole.hexdigest()[:32]

        return cls(chunks, [[digest(view, chunk) for chunk in chunks] for view in range(views)], piece_of, row_of)

    def pieces(self, folder: Path) -> list[list[Piece]]:
        """The pieces of each view as files of `folder`, whether they are there or not."""
        return [
            [
                Piece(folder / f"{view:03d}-{name}.npy", _Keys(view, chunk))
                for name, chunk in zip(names, self.chunks, strict=True)
            ]
            for view, names in enumerate(self.digests)
        ]


class _Keys(Sequence[Key]):
    """Keys of one view as they are asked for: of millions of photos in many views nobody wants all at once."""

    def __init__(self, view: int, indices: np.ndarray) -> None:
        self._view, self._indices = view, indices

    def __len__(self) -> int:
        return len(self._indices)

    @overload
    def __getitem__(self, place: int) -> Key: ...
    @overload
    def __getitem__(self, place: slice) -> list[Key]: ...
    def __getitem__(self, place: int | slice) -> Key | list[Key]:
        if isinstance(place, slice):
            return [(self._view, index) for index in self._indices[place].tolist()]
        return self._view, int(self._indices[place])


@dataclass(frozen=True)
class TeacherAnswers:
    """One teacher's answers to all views of the training photos, without running it again."""

    spec: NetworkSpec
    dim: int
    """Of its features."""
    form: AnswerForm
    plan: AnswerPlan
    paths: list[list[Path]]
    """Of each view and piece."""
    read: Callable[[Path], np.ndarray]

    def answer(self, views: Tensor, indices: Tensor) -> Answer:
        """What it says about a batch, views and record indices int64 [batch], on the device of `views`."""
        numbers, records = views.cpu().numpy(), indices.cpu().numpy()
        pieces, rows = self.plan.piece_of[records], self.plan.row_of[records]
        found: np.ndarray | None = None
        for view, piece in {*zip(numbers.tolist(), pieces.tolist(), strict=True)}:
            here = (numbers == view) & (pieces == piece)
            part = self.read(self.paths[view][piece])[rows[here]]
            if found is None:
                found = np.empty((len(records), part.shape[1]), part.dtype)
            found[here] = part
        assert found is not None
        return self.form.unpack(found, views.device)


def ask_teachers(
    teachers: Mapping[str, Teacher],
    shards: Sequence[ShardEntry],
    records: RecordSet,
    indices: np.ndarray,
    pairs: Pairs | None,
    params: DistillationParams,
    cache: AnswerCache,
    device: torch.device,
) -> dict[str, TeacherAnswers]:
    """The answers of the teachers, by name, about the photos at `indices` of the `shards`.

    Asked is only what no run has asked before. Each sees every view at its own image size. Raises ParamsError where the
    answers of this run alone are more than the cache may hold, TrainingError where one is beyond float16.
    """
    plan = AnswerPlan.of(shards, indices, params.views, pairs)
    answers: dict[str, TeacherAnswers] = {}
    pieces: dict[str, list[list[Piece]]] = {}
    needed: dict[Path, int] = {}
    for name, teacher in teachers.items():
        teacher.network.module.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        form = choose_form(params.cache, teacher.network)
        pieces[name] = plan.pieces(cache.use_folder(fingerprint_answers(teacher, params)))
        needed |= {piece.path: len(piece.keys) * form.row_bytes for view in pieces[name] for piece in view}
        paths = [[piece.path for piece in view] for view in pieces[name]]
        dim = classifier_of(teacher.network.module).in_features
        spec = teacher.network.spec
        answers[name] = TeacherAnswers(spec, dim, form, plan, paths, lru_cache(maxsize=OPEN_PIECES)(_map))
    cache.make_room(needed)
    transform = build_transforms(params.transforms)
    for name, teacher in teachers.items():
        spec = teacher.network.spec
        dataset = ViewDataset(records, spec, transform, params.seed, views=params.views, pairs=pairs)
        every = [piece for view in pieces[name] for piece in view]
        _complete(name, teacher.network, dataset, every, answers[name].form, params, cache, device)
    return answers


def fingerprint_answers(teacher: Teacher, params: DistillationParams) -> Fingerprint:
    """All that the bits of an answer depend on beside what is shown; the teacher's name and place are not in it."""
    chosen = params.model_dump(mode="json", include={"transforms", "seed", "cache"})
    files = {path.name: file_sha256(path) for path in teacher.files}
    how = {"batch_size": BATCH_SIZE, "device": describe_device(), "precision": precision_of_passes(params.precision)}
    return make_fingerprint({**chosen, **files, **how}, None) | describe_software()


def _complete(
    name: str,
    network: Network,
    dataset: ViewDataset,
    pieces: Sequence[Piece],
    form: AnswerForm,
    params: DistillationParams,
    cache: AnswerCache,
    device: torch.device,
) -> None:
    """Compute the pieces that are missing or damaged, in the precision of the student's passes."""

    def forward(module: nn.Module, images: Tensor) -> Tensor:
        with in_precision(device, params.precision):
            return form.forward(module, images).float()

    if all(is_sealed(piece.path) for piece in pieces):
        log.info("teacher %s: all answers are there from earlier runs", name)
        return
    with cache.write_alone(pieces[0].path.parent):
        # Another process may have written some while this one waited.
        missing = [piece for piece in pieces if not is_sealed(piece.path)]
        compute_pieces(
            network.module,
            dataset,
            missing,
            forward,
            batch_size=BATCH_SIZE,
            workers=params.workers,
            label=f"teacher {name}",
            pack=form.pack,
        )


def _map(path: Path) -> np.ndarray:
    rows: np.ndarray = np.load(path, mmap_mode="r")
    return rows
