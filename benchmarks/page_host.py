"""A web server for a folder as hosts of static files are: texts and WebAssembly come compressed, all else as it is.

    python -m benchmarks.page_host FOLDER

prints its port on 127.0.0.1 and serves until it is killed.
"""

import functools
import gzip
import http.server
import io
import sys
from http import HTTPStatus
from pathlib import Path
from typing import BinaryIO

COMPRESSED = ("text/", "application/json", "application/wasm", "application/manifest+json", "image/svg+xml")
"""Types that hosts compress; the weights of a network have none of their own."""


class Host(http.server.SimpleHTTPRequestHandler):
    """Answers from a folder."""

    def end_headers(self) -> None:
        """Browsers may keep everything for ten minutes."""
        self.send_header("Cache-Control", "max-age=600")
        super().end_headers()

    def send_head(self) -> io.BytesIO | BinaryIO | None:
        """The body to send after its header."""
        path = Path(self.translate_path(self.path))
        path = path / "index.html" if path.is_dir() else path
        kind = self.guess_type(str(path))
        if not path.is_file() or not kind.startswith(COMPRESSED):
            return super().send_head()
        body = compress(path)
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        return io.BytesIO(body)


@functools.cache
def compress(path: Path) -> bytes:
    """A file as it travels."""
    return gzip.compress(path.read_bytes(), 6)


def main() -> None:
    """Serve."""
    handler = functools.partial(Host, directory=sys.argv[1])
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    print(server.server_port, flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
