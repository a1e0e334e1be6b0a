"""Whether a medium of a Darwin Core Archive is a photograph, by what its makers wrote where a type or a format belongs.

They write `StillImage`, `image/jpeg`, `jpeg`, `JPG`, `Still Image`, addresses of these, nothing, and each in the place
of the other.
"""

import re
from mimetypes import MimeTypes

STILL = frozenset({"stillimage", "image"})
OTHER = frozenset(
    {"movingimage", "sound", "text", "collection", "dataset", "event", "interactiveresource", "physicalobject"}
    | {"service", "software", "video", "audio", "movie"}
)
"""The other words of the DCMI type vocabulary, and what people say."""
ENDING = re.compile(r"\.(\w+)(?:[?#]|$)")
UNTOLD = "application/octet-stream"
_FORMATS = MimeTypes()
"""Python's own table, the same on every machine."""


def is_still(kind: str, form: str, address: str, untold: bool = False) -> bool:
    """Whether a medium is a still image; `untold` where nothing says anything: it may as well be a web page or a scan.

    A word of either that says so is enough; else one that says it is something else; else the ending of the address.
    """
    words = [_says_still(kind), _says_still(form)]
    if any(words):
        return True
    if False in words:
        return False
    ending = ENDING.search(address)
    said = _says_still(ending[1]) if ending else None
    return untold if said is None else said


def _says_still(word: str) -> bool | None:
    """What a type, a MIME type, or the ending of a file's name says; None if it is no word that we know."""
    word = word.strip().casefold()
    name = re.sub(r"[^a-z]", "", re.split(r"[/#:]", word)[-1])
    if name in STILL or "photo" in name:
        return True
    if name in OTHER:
        return False
    form = word if "/" in word else _FORMATS.guess_type(f"medium.{word}")[0]
    major = (form or "").partition("/")[0]
    if major == "image":
        return True
    return False if major in ("audio", "video", "text", "application", "model") and form != UNTOLD else None
