"""Photos as the bytes of their Examples; what many photos share is made once."""

from collections.abc import Iterable
from itertools import groupby
from typing import Any, Final

from fieldguide.catalogue.taxonomy import Taxonomy
from fieldguide.records.described_square import Square
from fieldguide.records.encoding import encode_example, encode_feature, name_order
from fieldguide.records.features import Field, expand

Template = list[bytes]
"""What photos of equal facts share of their records: the pieces around the features that each has for itself."""


class ExampleEncoder:
    """Writes records that are made of `fields`."""

    def __init__(self, fields: Iterable[Field], taxonomy: Taxonomy) -> None:
        named = sorted(expand(fields, taxonomy.ranks), key=lambda row: name_order(row[0]))
        self._own = [row for row in named if not row[2].is_shared]
        self._shared: list[list[tuple[str, str, Field]]] = [[]]
        for row in named:
            if row[2].is_shared:
                self._shared[-1].append(row)
            else:
                self._shared.append([])

    def prepare(self, square: Square) -> Template:
        """The template of all photos with the facts of this one.

        Raises RecordError where the description names a class that the taxonomy lacks.
        """
        return [b"".join([_encode(row, square) for row in rows]) for rows in self._shared]

    def encode(self, square: Square, template: Template) -> bytes:
        """The payload of one record. Raises RecordError where the photo does not decode and the record needs that."""
        pieces = [template[0]]
        for row, after in zip(self._own, template[1:], strict=True):
            pieces += _encode(row, square), after
        return encode_example(pieces)


def _encode(row: tuple[str, str, Field], square: Square) -> bytes:
    name, rank, field = row
    value: Any = field.write(square, rank)
    return encode_feature(name, field.dtype, value if field.shape else [value])
