"""The `urls` kind: a plain list, one URL per line, as old image sets are published.

Blank lines and lines that begin with `#` are comments. A URL ends with its line and is taken as it is written; words
before it, as in `n12345_678 http://...`, are skipped. A line without a scheme is a path.
"""

import hashlib
import logging
import re
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path, PurePosixPath
from typing import IO, Final, Literal
from urllib.parse import urlsplit

from fieldguide.catalogue.rows import NO_FILL, Fill, Row, locate
from fieldguide.catalogue.sources.reading import reading
from fieldguide.catalogue.sources.tables import numbered_lines
from fieldguide.credentials import mask_credentials
from fieldguide.errors import CatalogueError
from fieldguide.params import Section

log = logging.getLogger(__name__)

LIST_TIMEOUT_S: Final = 60
KEY_BYTES: Final = 16
BEFORE_URL: Final = re.compile(r".*?\s(?=[A-Za-z][A-Za-z0-9+.-]*://)", re.DOTALL)


class UrlsSource(Section):
    """A list of URLs without labels."""

    kind: Literal["urls"]
    """`urls`."""
    path: str
    """A file, or a http(s) URL of one (asked for as typed: only the URLs *in* a list are distrusted)."""
    fill: Fill = NO_FILL
    """Values for photos about which the source itself says nothing."""

    def rows(self) -> Iterator[Row]:
        """One row per distinct URL, in the order of their first lines. Lines that repeat one are counted in the log."""
        remote = self.path.lower().startswith(("http://", "https://"))
        shown = mask_credentials(self.path)
        name = PurePosixPath(urlsplit(self.path).path if remote else self.path).name
        seen, num_repeats = set[bytes](), 0
        for number, text in _read_lines(self.path, remote, shown):
            # Digests take less memory than the URLs of a long list.
            key = hashlib.sha256(text.encode()).digest()[:KEY_BYTES]
            if key in seen:
                num_repeats += 1
                continue
            seen.add(key)
            url, root = locate(text, Path(self.path).parent)
            if remote and root is not None:
                raise CatalogueError(f"{shown} line {number}: got the path {text!r}; a remote list may hold URLs only")
            yield self.fill.complete(Row(id=text, source_row=f"{name}:{number}", url=url, root=root))
        if num_repeats:
            log.warning("%s: left out %d lines that repeat a URL", shown, num_repeats)


def _read_lines(path: str, remote: bool, shown: str) -> Iterator[tuple[int, str]]:
    """The URL or path of each line that has one, with the line's number."""
    with reading(shown, mask_credentials), closing(_open_list(path, remote)) as stream:
        for number, line in numbered_lines(stream, shown):
            if not line.endswith("\n"):
                _check_is_whole(stream)
            text = line.strip()
            if text and not text.startswith("#"):
                yield number, BEFORE_URL.sub("", text, count=1)
        _check_is_whole(stream)


def _check_is_whole(stream: IO[bytes]) -> None:
    """Raise ValueError if a server hung up before the end; reading by lines does not say so."""
    if getattr(stream, "length", None):
        raise ValueError("the list ended before its announced length")


def _open_list(path: str, remote: bool) -> IO[bytes]:
    if remote:
        stream: IO[bytes] = urllib.request.urlopen(path, timeout=LIST_TIMEOUT_S)
        return stream
    return Path(path).open("rb")
