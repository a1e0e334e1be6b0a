"""Other people's words: names made tidy when they come in, and nothing that acts on a screen when they go out.

`tidy` is for names (labels, observers, places); addresses keep their bytes and are only trimmed at their ends, as they
name what lies on a disk or a server. `printable` is for whatever is shown, in a console, on a page or in a figure.
"""

import re
import unicodedata
from collections.abc import Callable
from typing import Final

_ESCAPE_SEQUENCE: Final = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\^_])")
"""What a terminal takes for a colour, a title, a move of its cursor."""

_UNSEEN: Final = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)
"""Letters and marks without any shape, though Unicode does not count them among its format characters."""

_ZERO_WIDTH_SPACE: Final = "\u200b"


def tidy(text: str) -> str:
    """A name as people see it: NFC, single spaces, and no characters that only act (controls, bidi, zero width)."""
    if text.isascii() and text.isprintable():
        return " ".join(text.split())
    text = _UNSEEN.sub("", _ESCAPE_SEQUENCE.sub("", text)).replace(_ZERO_WIDTH_SPACE, " ")
    if not text.isprintable():
        text = "".join(
            character
            for character in text
            if character.isspace() or unicodedata.category(character) not in ("Cc", "Cf")
        )
    return " ".join(unicodedata.normalize("NFC", text).split())


def printable(text: str, keep: str = "") -> str:
    """`text` with what does not print, and is not in `keep`, written out: `\\x1b`, `\\u202e`, `\\n`."""
    return escape_unprintable(text, _written_out, keep)


def escape_unprintable(text: str, escape: Callable[[str], str], keep: str) -> str:
    """`text` with `escape` of each character that does not print and is not in `keep`."""
    shown = text.translate(dict.fromkeys(map(ord, keep))) if keep else text
    if shown.isprintable() and (shown.isascii() or not _UNSEEN.search(shown)):
        return text
    return "".join(
        character if character in keep or _has_a_shape(character) else escape(character) for character in text
    )


def _has_a_shape(character: str) -> bool:
    spacing = unicodedata.category(character) == "Zs"
    return (character.isprintable() or spacing) and not _UNSEEN.match(character)


def _written_out(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")
