"""Answers to many photos, batch by batch; what cannot be read or decoded is said, not fatal."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice

import joblib

from fieldguide.errors import PhotoError
from fieldguide.inference.guide import BATCH_SIZE, Guide, Square
from fieldguide.inference.journal import Line
from fieldguide.inference.photos import PhotoFile, read_photos


def answer_photos(guide: Guide, photos: Sequence[PhotoFile], num_top: int) -> Iterator[list[Line]]:
    """A line for every photo in their order, some at a time, decoded by as many threads as there are cores."""

    def to_square(content: bytes | str) -> Square | str:
        if isinstance(content, str):
            return content
        try:
            return guide.to_square(content)
        except PhotoError as error:
            return str(error)
        except MemoryError:
            return "too large for the memory of this machine"

    with ThreadPoolExecutor(joblib.cpu_count()) as pool:
        contents = read_photos(photos)
        while batch := list(islice(contents, BATCH_SIZE)):
            found = list(pool.map(to_square, (content for _, content in batch)))
            squares = [square for square in found if not isinstance(square, str)]
            answers = iter(guide.answer(squares, top=num_top) if squares else [])
            yield [
                Line(photo.name, square, None, photo.label)
                if isinstance(square, str)
                else Line(photo.name, "", next(answers), photo.label)
                for (photo, _), square in zip(batch, found, strict=True)
            ]
