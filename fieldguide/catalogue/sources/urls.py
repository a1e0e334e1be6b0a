"""The `urls` kind: a plain list, one URL per line, as old image sets are published.

Blank lines and lines that begin with `#` are comments; of any other line the last whitespace-separated token is
the URL, so `n12345_678 http://...` is fine.
"""

import hashlib
import logging
import re
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path, PurePosixPath
from typing import IO, Literal
from urllib.error import URLError
from urllib.parse import urlsplit

from fieldguide.catalogue.rows import Fill, Row, locate, trim
from fieldguide.catalogue.sources.tables import numbered_lines
from fieldguide.credentials import mask_credentials
from fieldguide.errors import CatalogueError
from fieldguide.params import Section

log = logging.getLogger(__name__)

LIST_TIMEOUT_S = 60
KEY_BYTES = 16


class UrlsSource(Section):
    """A list of URLs without labels."""

    kind: Literal["urls"]
    """`urls`."""
    path: str
    """A file, or a http(s) URL of one (asked for as typed: only the URLs *in* a list are distrusted)."""
    fill: Fill
    """Values for photos about which the source itself says nothing."""

    def rows(self) -> Iterator[Row]:
        """One row per distinct URL, in the order of their first lines. Lines that repeat one are counted in the log."""
        remote = urlsplit(self.path).scheme in ("http", "https")
        shown = mask_credentials(self.path)
        name = PurePosixPath(urlsplit(self.path).path if remote else self.path).name
        seen, num_repeats = set[bytes](), 0
        try:
            with closing(_open_list(self.path, remote)) as stream:
                for number, line in numbered_lines(stream, shown):
                    tokens = re.split(r"[ \t]+", trim(line, f"{shown} line {number}") or "#")
                    if tokens[0].startswith("#"):
                        continue
                    # Digests take less memory than the URLs of a long list.
                    key = hashlib.sha256(tokens[-1].encode()).digest()[:KEY_BYTES]
                    if key in seen:
                        num_repeats += 1
                        continue
                    seen.add(key)
                    url, root = locate(tokens[-1], Path(self.path).parent)
                    if remote and root is not None:
                        raise CatalogueError(
                            f"{shown} line {number}: got the path {tokens[-1]!r}; a remote list may hold URLs only"
                        )
                    yield self.fill.complete(Row(id=tokens[-1], source_row=f"{name}:{number}", url=url, root=root))
        except FileNotFoundError:
            raise CatalogueError(f"{shown} is missing") from None
        except (URLError, TimeoutError, ConnectionError) as error:
            raise CatalogueError(f"{shown} cannot be read: {mask_credentials(str(error))}") from None
        if num_repeats:
            log.warning("%s: left out %d lines that repeat a URL", shown, num_repeats)


def _open_list(path: str, remote: bool) -> IO[bytes]:
    if remote:
        stream: IO[bytes] = urllib.request.urlopen(path, timeout=LIST_TIMEOUT_S)
        return stream
    return Path(path).open("rb")
