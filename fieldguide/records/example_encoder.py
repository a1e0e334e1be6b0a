"""Photos as the bytes of their Examples; what many photos share is made once."""

from collections.abc import Iterable, Iterator, Sequence

from fieldguide.catalogue.taxonomy import Taxonomy
from fieldguide.records.described_square import Square
from fieldguide.records.encoding import encode_bytes, encode_example, encode_feature, name_order
from fieldguide.records.features import Field, expand

Template = tuple[bytes, ...]
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
        return tuple(b"".join([entry for row in rows for entry in _encode(row, [square])]) for rows in self._shared)

    def encode(self, squares: Sequence[Square], templates: Sequence[Template]) -> Iterator[bytes]:
        """The payloads of some records, each square with its template.

        Raises RecordError where a photo does not decode and the record needs that.
        """
        first, *others = zip(*templates, strict=True)
        columns: list[Iterable[bytes]] = [first]
        for row, after in zip(self._own, others, strict=True):
            columns += _encode(row, squares), after
        return map(encode_example, zip(*columns, strict=True))


def _encode(row: tuple[str, str, Field], squares: Sequence[Square]) -> list[bytes]:
    """The entries of one feature."""
    name, rank, field = row
    write, dtype = field.write, field.dtype
    if field.shape:
        return [encode_feature(name, dtype, write(square, rank)) for square in squares]
    if dtype == "bytes":
        return encode_bytes(name, [write(square, rank) for square in squares])
    return [encode_feature(name, dtype, [write(square, rank)]) for square in squares]
