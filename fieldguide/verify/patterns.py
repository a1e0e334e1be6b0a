"""Names with braces: `train-{00000..00031}-of-00032.tfrecord`, `{train,val}.tar`."""

import re
from collections.abc import Iterator
from itertools import product

from fieldguide.errors import ParamsError

BRACES = re.compile(r"\{([^{}]*)\}")
RANGE = re.compile(r"(\d+)\.\.(\d+)")
MOST_NAMES = 1_000_000


def expand_braces(pattern: str) -> Iterator[str]:
    """Every name that `pattern` stands for, in its order, as bash and WebDataset expand it.

    A range keeps the zeros of its first number; braces that hold neither a range nor a comma are a part of the name.
    Raises ParamsError if there are more than a million names.
    """
    parts: list[list[str]] = []
    num_names, end = 1, 0
    for match in BRACES.finditer(pattern):
        choices = _choices(match[1])
        num_names *= max(1, len(choices))
        if num_names > MOST_NAMES:
            raise ParamsError(f"{pattern} stands for more than {MOST_NAMES:,} names")
        parts += [[pattern[end : match.start()]], list(choices) or [match[0]]]
        end = match.end()
    for names in product(*parts, [pattern[end:]]):
        yield "".join(names)


class _Padded:
    """The numbers from `first` to `last`, upwards or downwards, counted before they are written out."""

    def __init__(self, first: int, last: int, width: int) -> None:
        self._numbers = range(first, last + 1) if first <= last else range(first, last - 1, -1)
        self._width = width

    def __len__(self) -> int:
        return len(self._numbers)

    def __iter__(self) -> Iterator[str]:
        return (f"{number:0{self._width}d}" for number in self._numbers)


def _choices(inside: str) -> _Padded | list[str]:
    if bounds := RANGE.fullmatch(inside):
        return _Padded(int(bounds[1]), int(bounds[2]), len(bounds[1]) if bounds[1].startswith("0") else 0)
    return inside.split(",") if "," in inside else []
