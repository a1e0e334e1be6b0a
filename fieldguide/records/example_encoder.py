"""Photos as the bytes of their Examples; what many photos share is made once."""

from collections.abc import Callable, Hashable, Iterable
from itertools import groupby
from typing import Any, Final

from fieldguide.catalogue.taxonomy import Taxonomy
from fieldguide.records.described_square import Square
from fieldguide.records.encoding import encode_example, encode_feature, name_order
from fieldguide.records.features import Field, expand

MAX_KEPT: Final = 1 << 16
"""Entries that are kept for each thing that features vary with, such as the labels: about 30 MB."""


class ExampleEncoder:
    """Writes records that are made of `fields`."""

    def __init__(self, fields: Iterable[Field], taxonomy: Taxonomy) -> None:
        named = sorted(expand(fields, taxonomy.ranks), key=lambda row: name_order(row[0]))
        # Neighbours that vary with the same thing are kept as one piece.
        self._runs = [
            _Run(varies_with, [(name, rank, field) for name, rank, field in run])
            for varies_with, run in groupby(named, key=lambda row: row[2].varies_with)
        ]

    def encode(self, square: Square) -> bytes:
        """The payload of one record.

        Raises RecordError where the description names a class that the taxonomy lacks, or the photo does not decode.
        """
        return encode_example([run.encode(square) for run in self._runs])


class _Run:
    """Features that stand together, and vary with one thing or each with the photo itself."""

    def __init__(self, varies_with: Callable[[Square], Hashable] | None, rows: list[tuple[str, str, Field]]) -> None:
        self._varies_with = varies_with
        self._rows = rows
        self._kept: dict[Hashable, bytes] = {}

    def encode(self, square: Square) -> bytes:
        if self._varies_with is None:
            return self._make(square)
        key = self._varies_with(square)
        if (entries := self._kept.get(key)) is None:
            if len(self._kept) == MAX_KEPT:
                self._kept.clear()
            entries = self._kept[key] = self._make(square)
        return entries

    def _make(self, square: Square) -> bytes:
        return b"".join([_encode_field(name, field, field.write(square, rank)) for name, rank, field in self._rows])


def _encode_field(name: str, field: Field, value: Any) -> bytes:
    values = value if field.shape else [value]
    return encode_feature(name, field.dtype, values)
