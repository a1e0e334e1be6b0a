"""One form for the name of a taxon, in labels and taxonomies alike; names that say nothing; the nearest of many."""

import difflib
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Final

from fieldguide.text import tidy

NOTHING: Final = frozenset({"na", "n/a", "#n/a", "<na>", "n.a.", "nan", "none", "null", "nil", "-", "--", "?"})
"""What programs and people write where there is no name."""

_HYBRID_SIGN: Final = re.compile(r" ?[×✕✖⨉⨯] ?")
_HYBRID_LETTER: Final = re.compile(r"(?:(?<=[^\W\d_])|(?<=\.)) [xXхХ] (?=[^\W\d_])")
_HYBRID_GENUS: Final = re.compile(r"^[xXхХ] (?=([^\W\d_]))")
_NEAR: Final = 0.7
"""Of 1: below this share of common letters two names have nothing to do with each other."""


@lru_cache(maxsize=65536)
def taxon_name(text: str) -> str:
    """A tidy name in which a hybrid is marked by `×` with spaces: `Aster × frikartii`, `× Cuprocyparis leylandii`."""
    name = tidy(text)
    name = _HYBRID_GENUS.sub(lambda match: "× " if match[1].isupper() else match[0], name)
    return _HYBRID_SIGN.sub(" × ", _HYBRID_LETTER.sub(" × ", name)).strip()


def says_nothing(name: str) -> bool:
    """Whether a label only says that there is none, as `NA` does."""
    return name.casefold() in NOTHING


def fold(name: str) -> str:
    """A name without what may be written differently: `Aster_Alpinus` is `aster alpinus`."""
    decomposed = unicodedata.normalize("NFKD", name.casefold())
    plain = "".join(character for character in decomposed if not unicodedata.combining(character))
    return " ".join(re.split(r"[\s_.,'’-]+", plain)).strip()


class Nearest:
    """Finds, among known names, the one that another name most probably means."""

    def __init__(self, known: Iterable[str]) -> None:
        self._folded = {fold(name): name for name in sorted(known, reverse=True)}
        self._alike: defaultdict[str, list[str]] = defaultdict(list)
        for folded in self._folded:
            for key in _keys(folded):
                self._alike[key].append(folded)

    def find(self, name: str) -> str | None:
        """The known name closest to `name`, None if none with its first letter or its last word is near.

        Of a name with words behind it (an author, a subspecies) that is the name without them.
        """
        folded = fold(name)
        words = folded.split()
        for end in range(len(words), 1, -1):
            if found := self._folded.get(" ".join(words[:end])):
                return found
        candidates = [alike for key in _keys(folded) for alike in self._alike[key]]
        close = difflib.get_close_matches(folded, candidates, n=1, cutoff=_NEAR)
        return self._folded[close[0]] if close else None


def _keys(folded: str) -> Iterator[str]:
    yield folded[:1]
    if " " in folded:
        yield folded.rpartition(" ")[2]
