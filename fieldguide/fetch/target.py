"""One reading of a http or https URL: the host to connect to, and the text to ask it for.

Whatever checks, limits, counts or asks for a URL uses this reading: where two parsers read one URL, a stranger can show
a harmless host to the first and a private one to the second. Hosts become what a connection is made to: `①②⑦` is a
number there. All else stays as it was written, because servers sign addresses and tell `%2F` from `/`.
"""

import ipaddress
import re
from dataclasses import dataclass
from typing import Final

from yarl import URL

SCHEMES: Final = ("http", "https")
DEFAULT_PORTS: Final = {"http": 80, "https": 443}
MOST_HOST_CHARS: Final = 253
HAS_SCHEME: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")

_WEB_URL: Final = re.compile(
    r"(?P<scheme>https?)://(?:(?P<user>[^/?#]*)@)?(?P<host>\[[^/?#\]]*\]|[^/?#:\[\]]*)(?::(?P<port>[0-9]*))?"
    r"(?P<path>[/?][^#]*)?(?:#.*)?",
    re.IGNORECASE | re.DOTALL,
)
_NAME: Final = re.compile(r"(?:[a-z0-9_-]{1,63}\.)*[a-z0-9_-]{1,63}\.?")
_ENDS_IN_NUMBER: Final = re.compile(r"(?:.*\.)?(?:[0-9]+|0x[0-9a-f]*)\.?")
_PLAIN: Final = re.compile(r"[!-~]*")
# What RFC 3986 (3.2.1) has for it, and the @ that many write as it is; in `http://[@a` a client misses a `]`.
_USER: Final = re.compile(r"[A-Za-z0-9._~!$&'()*+,;=:%@-]*")


@dataclass(frozen=True, slots=True)
class Target:
    """What a http or https URL means. Make it with `read_target`."""

    scheme: str
    host: str
    """ASCII, in lower case: a name or an address, an IPv6 one without brackets."""
    port: int
    user: str
    """`user:password@`, or nothing."""
    path: str
    """Path and query as written, from the `/` on; only what no request can hold is percent-encoded."""

    @property
    def origin(self) -> str:
        """`scheme://host:port`: what is one server to us."""
        return f"{self.scheme}://{self.host.rstrip('.')}:{self.port}"

    @property
    def url(self) -> URL:
        """For the HTTP client, which takes it as it is."""
        return URL(self._base + self.path, encoded=True)

    @property
    def _base(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = "" if self.port == DEFAULT_PORTS[self.scheme] else f":{self.port}"
        return f"{self.scheme}://{self.user}{host}{port}"

    def locate(self, reference: str) -> str:
        """The absolute URL that a `Location` header of this target's answer means; an absolute one as it is."""
        if HAS_SCHEME.match(reference):
            return reference
        if reference.startswith("//"):
            return f"{self.scheme}:{reference}"
        path, _, _ = self.path.partition("?")
        if reference.startswith("?"):
            return self._base + path + reference
        relative, mark, query = reference.partition("#")[0].partition("?")
        if not relative:
            return self._base + self.path
        if relative.startswith("/"):
            return self._base + relative + mark + query
        return self._base + _join(path, relative) + mark + query


def read_target(url: str) -> Target:
    """Read a URL. Raises ValueError, saying what is wrong, on any that no request can be made of."""
    match = _WEB_URL.fullmatch(url)
    if match is None:
        raise ValueError("not a URL of the form http://host:port/path")
    user = match["user"]
    if user is not None and not _USER.fullmatch(user):
        raise ValueError("the user name or password is not percent-encoded")
    scheme = match["scheme"].lower()
    port = int((match["port"] or "0")[-6:]) or DEFAULT_PORTS[scheme]
    if port > 65535 or len(match["port"] or "") > 5:
        raise ValueError(f"port {match['port']!a:.20}; expected 1 to 65535")
    path = match["path"] or "/"
    path = path if path.startswith("/") else f"/{path}"
    # The client asks for no empty query.
    path = path.removesuffix("?") if path.count("?") == 1 else path
    return Target(scheme, _read_host(match["host"]), port, "" if user is None else f"{user}@", _spell(path))


def _read_host(text: str) -> str:
    """A host in the one spelling in which it is checked and connected to."""
    if not text:
        raise ValueError("no host")
    if text.startswith("["):
        return str(ipaddress.IPv6Address(text[1:-1].partition("%")[0]))
    host = text.lower()
    if not _NAME.fullmatch(host):
        # Also a UnicodeError, of what no domain name can hold, is a ValueError.
        host = (URL.build(scheme="http", host=text).raw_host or "").lower() if not text.isascii() else host
        if not _NAME.fullmatch(host):
            raise ValueError(f"no such host name: {text[:MOST_HOST_CHARS]!a}")
    if len(host) > MOST_HOST_CHARS:
        raise ValueError(f"a host name of {len(host)} characters; expected at most {MOST_HOST_CHARS}")
    # Whether 127.1, 0x7f.1 or 0177.0.0.1 is an address, programs differ; photos have names or dotted quads.
    if _ENDS_IN_NUMBER.fullmatch(host):
        host = str(ipaddress.IPv4Address(host.rstrip(".")))
    return host


def _spell(text: str) -> str:
    """`text` with only those bytes percent-encoded that no request line can hold."""
    if _PLAIN.fullmatch(text):
        return text
    # Headers are decoded with surrogates for what is not UTF-8; these become the bytes that they were.
    spelled = text.encode("utf-8", "surrogateescape")
    return "".join(chr(byte) if 0x21 <= byte <= 0x7E else f"%{byte:02X}" for byte in spelled)


def _join(path: str, relative: str) -> str:
    """`relative` followed from the folder of `path`; only its own dots are resolved."""
    parts = path.split("/")[:-1]
    *folders, name = relative.split("/")
    for part in folders:
        if part == "..":
            parts = parts[: max(1, len(parts) - 1)]
        elif part != ".":
            parts.append(part)
    if name == "..":
        parts, name = parts[: max(1, len(parts) - 1)], ""
    return "/".join([*parts, "" if name == "." else name])
