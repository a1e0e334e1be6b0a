"""Secrets in parameters: `$NAME` is looked up in the environment where it is used, and never written or shown.

address = resolve(self.url)
try:
    connect(address.text)
except DriverError as error:
    raise CatalogueError(address.mask(error)) from None
"""

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from urllib.parse import quote, quote_plus, unquote

from fieldguide.errors import ParamsError

VARIABLE = re.compile(r"\$([A-Za-z_]\w*)")
PASSWORD = re.compile(r"(?<=://)(?P<user>[^\s:/@]*):(?P<password>[^\s'\"]*)@")
"""Within a message. Up to the last `@`, as a password may hold what should have been percent-encoded."""
WHOLE_PASSWORD = re.compile(r"://[^:/@]*:(?P<password>.*)@", re.DOTALL)
"""Within a URL."""
NOT_ENCODED = re.compile(r"[/@?#\s]|%(?![0-9A-Fa-f]{2})")
HIDDEN = "***"
SHORTEST = 3
"""Of fewer characters a value is hidden only where it stands before the `@` of a URL: it is part of too many words."""


@dataclass(frozen=True)
class Resolved:
    """A parameter with the environment's values in the place of their names."""

    text: str = field(repr=False)
    """For the one that needs it; belongs into no message, file or log."""
    secrets: tuple[str, ...] = field(repr=False)

    def mask(self, message: object) -> str:
        """What an error says, on one line, without any secret."""
        text = " ".join(str(message).split())
        for secret in sorted(self.secrets, key=len, reverse=True):
            text = text.replace(secret, HIDDEN)
        return mask_credentials(text)


def resolve(text: str) -> Resolved:
    """Look up every `$NAME` in `text`.

    Raises ParamsError naming a variable that is not set, or where a URL would be cut within its password.
    """
    values = {name: os.environ.get(name) for name in VARIABLE.findall(text)}
    if missing := [name for name, value in values.items() if value is None]:
        raise ParamsError(f"{mask_credentials(text)}: the environment has no {missing[0]}; expected its value there")
    resolved = VARIABLE.sub(lambda match: str(values[match[1]]), text)
    passwords = [match["password"] for match in WHOLE_PASSWORD.finditer(resolved)]
    if values and any(map(NOT_ENCODED.search, passwords)):
        raise ParamsError(
            f"{mask_credentials(text)}: the password holds one of / @ ? # % or a space; expected it percent-encoded, "
            "as urllib.parse.quote(password, safe='') writes it"
        )
    return Resolved(resolved, tuple(_spellings([*filter(None, values.values()), *passwords])))


def _spellings(secrets: Iterable[str]) -> set[str]:
    """Each secret as it is, and as a URL spells it."""
    spelled = {
        way(secret) for secret in secrets for way in (str, unquote, quote_plus, lambda text: quote(text, safe=""))
    }
    return {secret for secret in spelled if len(secret) >= SHORTEST}


def mask_credentials(text: str) -> str:
    """`text` with `user:***@` in the place of `user:password@` in URLs; `$NAME` is no secret and stays."""
    return PASSWORD.sub(lambda match: match[0] if match["password"].startswith("$") else f"{match['user']}:***@", text)
