"""One closed list of licences, what each allows, and the many ways in which sources write them.

Kinds, as they matter to whoever trains and ships a model:

permissive       any use, commercial use and derivatives included. Share-alike counts: it binds what is passed on,
                 not who may use it.
non-commercial   derivatives are fine, earning money is not
restrictive      no derivatives, or all rights reserved
unknown          nothing said, or something that we do not understand to its end; never treated as permission
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from enum import StrEnum
from functools import lru_cache
from typing import Final

from fieldguide.catalogue.licence_words import CLAIMED, PHRASE, RESERVED, Meaning
from fieldguide.text import tidy


class LicenceKind(StrEnum):
    """What a licence allows; see the module's text."""

    PERMISSIVE = "permissive"
    NON_COMMERCIAL = "non-commercial"
    RESTRICTIVE = "restrictive"
    UNKNOWN = "unknown"


CC0: Final = "CC0-1.0"
PUBLIC_DOMAIN: Final = "PDM-1.0"
ALL_RIGHTS_RESERVED: Final = "all-rights-reserved"
UNKNOWN: Final = "unknown"

VERSIONS: Final = ("1.0", "2.0", "2.1", "2.5", "3.0", "4.0")
FAMILIES: Final = {
    "CC-BY": LicenceKind.PERMISSIVE,
    "CC-BY-SA": LicenceKind.PERMISSIVE,
    "CC-BY-NC": LicenceKind.NON_COMMERCIAL,
    "CC-BY-NC-SA": LicenceKind.NON_COMMERCIAL,
    "CC-BY-ND": LicenceKind.RESTRICTIVE,
    "CC-BY-NC-ND": LicenceKind.RESTRICTIVE,
}

CODE_LICENCES: Final = ("MIT", "Apache-2.0", "BSD-3-Clause")
"""Some data sets are published under a licence meant for code; their SPDX ids are recognised as they stand."""

LICENCES: Final[dict[str, LicenceKind]] = {
    CC0: LicenceKind.PERMISSIVE,
    PUBLIC_DOMAIN: LicenceKind.PERMISSIVE,
    **dict.fromkeys(CODE_LICENCES, LicenceKind.PERMISSIVE),
    **FAMILIES,
    **{f"{family}-{version}": kind for family, kind in FAMILIES.items() for version in VERSIONS},
    ALL_RIGHTS_RESERVED: LicenceKind.RESTRICTIVE,
    UNKNOWN: LicenceKind.UNKNOWN,
}
"""Every licence a catalogue can hold. A family without a version is what a source that names none gives us."""

LONGEST: Final = 1000
"""Characters; a longer text is a contract, not the name of one."""

_ADDRESS_START: Final = r"(?<![\w/.])(?:https?://|//)?(?:www\.)?"
_ADDRESS_END: Final = r"(?:/(?:deed|legalcode)(?:\.[a-z_-]+)*)?/?(?:[?#][\w=&.%-]*)?(?=\.?(?:[\s,;)\]>\"']|$))"
ADDRESSES: Final = (
    (r"creativecommons\.org/licen[sc]es/([a-z-]+)(?:/(\d\.\d)(?:/(?:[a-z]{2}|igo|scotland))?)?", r" cc \1 \2 "),
    (r"creativecommons\.org/publicdomain/zero(?:/1\.0)?", " cc0 "),
    (r"creativecommons\.org/publicdomain/mark(?:/1\.0)?", " public domain "),
    (r"rightsstatements\.org/(?:vocab|page)/inc(?:-[a-z-]+)?(?:/1\.0)?", " all rights reserved "),
    (r"rightsstatements\.org/(?:vocab|page)/nkc(?:/1\.0)?", " no known copyright "),
)
"""Pages that are licences, and what they say in words."""
_ADDRESSES: Final = tuple(
    (re.compile(_ADDRESS_START + page + _ADDRESS_END, re.IGNORECASE), words) for page, words in ADDRESSES
)

ATTRIBUTION: Final = re.compile(
    r"(?:\(c\)|©) (?P<name>[^,;()]+), (?P<rest>(?:some|no) rights reserved(?: \([^()]+\))?)"
    r"(?:, uploaded by (?P<other>[^,;()]+))?"
)
"""iNaturalist's line below a photo."""

_RUN_TOGETHER: Final = re.compile(r"\b(?:(?:cc)?by(?:nc|nd|sa)*|nc|nd|sa)(?=\d|\b)")
"""ccbyncsa, by4.0"""
_PLAIN: Final = str.maketrans({"ø": "o", "ł": "l", "æ": "ae", "œ": "oe", "đ": "d", "ı": "i"})
"""Letters that are not, to Unicode, another with a mark."""
_SEPARATORS: Final = frozenset(".,:;/\\'\"|&")
_SEPARATING: Final = frozenset({"Zs", "Zl", "Zp", "Pd", "Pc", "Ps", "Pe", "Pi", "Pf"})


@lru_cache(maxsize=65536)
def normalise_licence(text: str | None) -> str:
    """The entry of LICENCES that a URL, an SPDX id, a portal's code or a sentence names.

    A text counts only when each of its words is understood: `unknown` is the answer to any doubt. Of several licences
    in one text the one that allows least counts.
    """
    if text is None or len(text) > LONGEST or not (tidied := tidy(text)):
        return UNKNOWN
    tidied = _without_credit(tidied)
    for address, meaning in _ADDRESSES:
        tidied = address.sub(meaning, tidied)
    words = _words(tidied)
    for name in CODE_LICENCES:
        if re.sub(r" licen[cs]e$", "", words) == _words(name):
            return name
    if RESERVED.search(words):
        return ALL_RIGHTS_RESERVED
    phrases = _understand(words)
    if phrases is not None:
        return _settle(phrases)
    return ALL_RIGHTS_RESERVED if CLAIMED.search(tidied.casefold()) and not _names_a_licence(words) else UNKNOWN


def licence_kind(licence: str) -> LicenceKind:
    """What an entry of LICENCES allows."""
    return LICENCES[licence]


def allows_any_use(licence: str) -> bool:
    """Whether a photo under this entry of LICENCES may go into a product."""
    return licence_kind(licence) is LicenceKind.PERMISSIVE


def needs_credit(licence: str) -> bool:
    """Whether who passes on a photo under this entry of LICENCES must name its author."""
    return licence not in (CC0, PUBLIC_DOMAIN)


def _words(text: str) -> str:
    """Folded words with one space between them; a sign that does not merely separate is a word of its own."""
    # Case and accents carry no meaning here: RÉSERVÉS, réservés and reserves are one word.
    decomposed = unicodedata.normalize("NFKD", text.casefold().translate(_PLAIN))
    letters = (character for character in decomposed if not unicodedata.combining(character))
    spaced = "".join(
        character if character.isalnum() else " " if _separates(character) else f" {character} "
        for character in letters
    )
    return " ".join(_RUN_TOGETHER.sub(lambda match: " ".join(re.findall("..", match[0])) + " ", spaced).split())


def _separates(character: str) -> bool:
    return character in _SEPARATORS or unicodedata.category(character) in _SEPARATING


def _understand(words: str) -> list[re.Match[str]] | None:
    """The phrases that the words are made of, from the first to the last; None if any is not understood."""
    phrases, place = [], 0
    while place < len(words):
        match = PHRASE.match(words, place)
        if match is None:
            return None
        phrases.append(match)
        place = match.end() + 1
    return phrases


def _settle(phrases: Sequence[re.Match[str]]) -> str:
    """The licence that understood phrases name, of several the one that allows least, `unknown` if any is none."""
    has_cc = any(phrase.lastgroup == Meaning.CC for phrase in phrases)
    found = [_licence(part, has_cc) for part in _parts(phrases)]
    if not found or UNKNOWN in found:
        return UNKNOWN
    # Of equals one that tells its version, and CC0 before the looser word "public domain".
    return max(found, key=lambda licence: (_strictness(licence), licence not in FAMILIES, licence == CC0))


def _parts(phrases: Sequence[re.Match[str]]) -> Iterator[list[re.Match[str]]]:
    """The phrases that say something, anew from each that begins a licence."""
    part: list[re.Match[str]] = []
    for phrase in phrases:
        if phrase.lastgroup in (Meaning.BY, Meaning.ZERO, Meaning.NOBODYS) and part:
            yield part
            part = []
        if phrase.lastgroup not in (Meaning.CC, Meaning.FILLER):
            part.append(phrase)
    if part:
        yield part


def _licence(part: Sequence[re.Match[str]], has_cc: bool) -> str:
    meanings = [phrase.lastgroup for phrase in part]
    if meanings in ([Meaning.ZERO], [Meaning.NOBODYS]):
        return CC0 if meanings == [Meaning.ZERO] else PUBLIC_DOMAIN
    # A lone "by" is an English word unless something says Creative Commons.
    if meanings[0] != Meaning.BY or not (has_cc or {Meaning.NC, Meaning.ND, Meaning.SA} & set(meanings)):
        return UNKNOWN
    family = "-".join(["CC", *(clause for clause in ("by", "nc", "sa", "nd") if clause in meanings)]).upper()
    version = next((f"-{phrase['major']}.{phrase['minor'] or 0}" for phrase in part if phrase["major"]), "")
    return family + version if family + version in LICENCES else UNKNOWN


def _strictness(licence: str) -> int:
    return list(LicenceKind).index(licence_kind(licence))


def _without_credit(text: str) -> str:
    """`text` without the author's name, where its form says which words are one."""
    if match := ATTRIBUTION.fullmatch(text):
        names = [match["name"], match["other"] or ""]
        return match["rest"] if not any(_says_something(name) for name in names) else text
    return text


def _says_something(name: str) -> bool:
    said = {match.lastgroup for match in PHRASE.finditer(_words(name))}
    return bool(said - {Meaning.FILLER, Meaning.VERSION})


def _names_a_licence(words: str) -> bool:
    said = {match.lastgroup for match in PHRASE.finditer(words)}
    return bool(said - {Meaning.FILLER, Meaning.VERSION, Meaning.NC, Meaning.ND, Meaning.SA})
