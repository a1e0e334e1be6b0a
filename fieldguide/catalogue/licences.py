"""One closed list of licences, what each allows, and the many ways in which sources write them.

Kinds, as they matter to whoever trains and ships a model:

permissive       any use, commercial use and derivatives included. Share-alike counts: it binds what is passed on,
                 not who may use it.
non-commercial   derivatives are fine, earning money is not
restrictive      no derivatives, or all rights reserved
unknown          nothing said, or nothing we recognise; never treated as permission
"""

import re
import unicodedata
from enum import StrEnum
from functools import lru_cache
from typing import Final


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

VERSIONS: Final = ("1.0", "2.0", "2.5", "3.0", "4.0")
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

RESERVED = re.compile(
    r"all rights reserved|alle rechte vorbehalten|alle rechten voorbehouden|tous droits reserves"
    r"|todos los derechos reservados|todos os direitos reservados|tutti i diritti (?:sono )?riservati"
    r"|tots els drets reservats|wszelkie prawa zastrzezone|alla rattigheter (?:forbehallna|forbehalles|reserverade)"
    r"|alle rettigheter (?:forbeholdt|reservert)|alle rettigheder forbeholde[st]|kaikki oikeudet pidatetaan"
    r"|vsechna prava vyhrazena|minden jog fenntartva|toate drepturile rezervate|tum haklari saklidir"
    r"|все права (?:защищены|сохранены)|усі права захищено|版权所有|版權所有|保留所有权利|保留所有權利|全著作権所有"
    r"|\brightsstatements org vocab inc\b"
)
CLAIMED = re.compile(r"copyright|©|\(c\)|\barr\b|^c$")
GIVEN_AWAY = re.compile(r"\bcc ?(?:0|zero)\b|publicdomain zero|no rights reserved|\bzero 1 0 universal\b")
NOBODYS = re.compile(
    r"public ?domain|\bpdm?\b|no known copyright|domaine public|dominio publico|pubblico dominio|gemeinfrei"
    r"|publiek domein|domena publiczna|общественное достояние|\brightsstatements org vocab nkc\b"
)
NEGATED = re.compile(r"\b(?:not|except|excluding|unless|without|nicht|sauf|excepto)\b")

LONG_NAMES: Final = (
    (re.compile(r"creativecommons org licen[sc]es|creative ?commons"), "cc"),
    (re.compile(r"non ?comm?erc\w*|nicht ?kommerziell"), "nc"),
    (re.compile(r"no ?deriv\w*|keine bearbeitung(?:en)?"), "nd"),
    (re.compile(r"share ?alike|weitergabe unter gleichen bedingungen"), "sa"),
    (re.compile(r"attribution|namensnennung|atribucion|atribuicao|attribuzione|naamsvermelding"), "by"),
)
CODE = re.compile(
    r"\b(?:cc )?(?P<parts>by(?:(?: and)? (?:nc|nd|sa))*)\b"
    r"(?: (?:licen[sc]e|international|generic|unported|int|v|version|deed))*"
    r"(?: ?v?(?P<major>\d)(?: (?P<minor>\d))?)?(?![\d.])"
)


@lru_cache(maxsize=65536)
def normalise_licence(text: str | None) -> str:
    """The entry of LICENCES that a URL, an SPDX id, a portal's code or a sentence names.

    Of several licences in one text the one that allows least counts, and `unknown` is the answer to any doubt.
    """
    if not text or not text.strip():
        return UNKNOWN
    folded = _fold(text)
    words = re.sub(r"[^\w©()]+|_|(?<=by|nc|nd|sa)(?=\d)", " ", folded).strip()
    for name in CODE_LICENCES:
        if re.sub(r" licen[cs]e$", "", words) == re.sub(r"[-.]", " ", name.casefold()):
            return name
    for pattern, short in LONG_NAMES:
        words = pattern.sub(short, words)
    found = [licence for match in CODE.finditer(words) if (licence := _cc_licence(match, words))]
    if GIVEN_AWAY.search(words):
        found.append(CC0)
    elif NOBODYS.search(words):
        found.append(PUBLIC_DOMAIN)
    if RESERVED.search(words) or (not found and CLAIMED.search(folded)):
        found.append(ALL_RIGHTS_RESERVED)
    if not found:
        return UNKNOWN
    least = max(found, key=lambda licence: (_strictness(licence), -found.index(licence)))
    return UNKNOWN if NEGATED.search(words) and licence_kind(least) is not LicenceKind.RESTRICTIVE else least


def licence_kind(licence: str) -> LicenceKind:
    """What an entry of LICENCES allows."""
    return LICENCES[licence]


def allows_any_use(licence: str) -> bool:
    """Whether a photo under this entry of LICENCES may go into a product."""
    return licence_kind(licence) is LicenceKind.PERMISSIVE


def _fold(text: str) -> str:
    # Case and accents carry no meaning here: RÉSERVÉS, réservés and reserves are one word.
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(character for character in decomposed if not unicodedata.combining(character))


def _cc_licence(match: re.Match[str], words: str) -> str | None:
    parts = set(match["parts"].split()) - {"and"}
    # A lone "by" is an English word unless something says Creative Commons.
    if parts == {"by"} and not re.search(r"\bcc\b", words):
        return None
    family = "-".join(["CC", *(part for part in ("by", "nc", "sa", "nd") if part in parts)]).upper()
    if family not in FAMILIES:
        return None
    if match["major"] is None:
        return family
    name = f"{family}-{match['major']}.{match['minor'] or 0}"
    return name if name in LICENCES else None


def _strictness(licence: str) -> int:
    return list(LicenceKind).index(licence_kind(licence))
