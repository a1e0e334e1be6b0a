"""A real HTTP server on the loopback address that misbehaves as servers of photos do, path by path."""

import hashlib
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


def photo_bytes(name: str, size: int = 3000) -> bytes:
    """What the server answers for `/photo/NAME`: bytes that differ by name."""
    return hashlib.shake_128(name.encode()).digest(size)


class PhotoServer(ThreadingHTTPServer):
    """Counts requests by path in `asked`; the paths are the methods of its handler."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, host: str) -> None:
        super().__init__((host, 0), _Handler)
        self.asked: Counter[str] = Counter()
        self.sent: Counter[str] = Counter()
        """Bodies of `tagged` paths, by path."""
        self.editions: Counter[str] = Counter()
        """By name, how often a `tagged` photo has changed."""
        self.proxied: list[str] = []
        """What it was asked for as a proxy."""
        self.agents: Counter[str | None] = Counter()
        self.texts: dict[str, str] = {}
        self.files: dict[str, bytes] = {}
        self.signed: set[str] = set()
        """What may be asked for below `signed/`, to the letter."""
        self.closing = threading.Event()
        self.lock = threading.Lock()
        self.pause_s = 0.0
        self.in_flight = self.most_in_flight = 0

    def handle_error(self, request: object, client_address: object) -> None:
        """Clients that hang up are part of the tests."""

    def url(self, path: str) -> str:
        return f"http://{self.server_address[0]}:{self.server_port}/{path}"


class _Handler(BaseHTTPRequestHandler):
    server: PhotoServer
    _is_counted = False
    protocol_version = "HTTP/1.1"

    def do_CONNECT(self) -> None:
        self.server.proxied.append(self.path)
        self._answer(403, b"")
        self.close_connection = True

    def do_GET(self) -> None:
        self.server.agents[self.headers.get("User-Agent")] += 1
        if self.path.startswith("http://"):
            self.server.proxied.append(self.path)
            self.path = "/" + self.path.split("/", 3)[3]
        kind, _, name = self.path.removeprefix("/").partition("/")
        with self.server.lock:
            self.server.asked[self.path] += 1
            times = self.server.asked[self.path]
            self.server.in_flight += 1
            self.server.most_in_flight = max(self.server.most_in_flight, self.server.in_flight)
        self._is_counted = True
        try:
            self._answer_kind(kind, name, times)
        finally:
            self._leave()

    def _leave(self) -> None:
        """Count this request no more: once its client has the last byte, it may have sent the next one already."""
        if self._is_counted:
            self._is_counted = False
            with self.server.lock:
                self.server.in_flight -= 1

    def _answer_kind(self, kind: str, name: str, times: int) -> None:
        if kind.isdigit():
            self._answer(int(kind), b"")
        elif kind == "photo":
            self.server.closing.wait(self.server.pause_s)
            self._answer(200, photo_bytes(name))
        elif kind == "after":
            while not self.server.asked[f"/{name}"] and not self.server.closing.wait(0.02):
                pass
            self._answer(200, photo_bytes(name))
        elif kind == "tagged":
            self._answer_tagged(name)
        elif kind == "once" and times == 1:
            code, _, patience = name.partition("/")[0].partition("-")
            self._answer(int(code), b"", {"Retry-After": patience or "0"})
        elif kind == "once":
            self._answer(200, photo_bytes(name))
        elif kind == "reset":
            self.close_connection = True
        elif kind == "text":
            self._answer(200, self.server.texts[name].encode())
        elif kind == "file":
            self._answer(200, self.server.files[name])
        elif kind == "page":
            self._answer(200, b"<html>not a photo</html>", {"Content-Type": "text/html"})
        elif kind == "empty":
            self._answer(200, b"")
        elif kind == "truncated":
            self._answer(200, b"half", {"Content-Length": "1000"})
            self.close_connection = True
        elif kind == "stalled":
            self._answer(200, b"half", {"Content-Length": "1000"})
            self.server.closing.wait()
        elif kind == "silent":
            self.server.closing.wait()
        elif kind == "dribbling":
            self._dribble()
        elif kind == "endless":
            self._pour()
        elif kind == "large":
            self._answer(200, bytes(300_000))
        elif kind == "redirect":
            self._answer(302, b"", {"Location": name.replace("%3A", ":")})
        elif kind == "location":
            self._answer(302, b"", {"Location": self.server.texts[name]})
        elif kind == "signed":
            self._answer(200 if name in self.server.signed else 403, photo_bytes(name))
        elif kind == "cookie":
            known = "seen=yes" in self.headers.get("Cookie", "")
            first = {"Location": self.path, "Set-Cookie": "seen=yes; Path=/"}
            self._answer(200, photo_bytes(name)) if known else self._answer(302, b"", first)
        elif kind == "loop":
            self._answer(301, b"", {"Location": self.path})
        else:
            self._answer(404, b"")

    def _answer(self, code: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(code)
        for name, value in {"Content-Length": str(len(body)), **(headers or {})}.items():
            self.send_header(name, value)
        self._leave()
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()

    def _answer_tagged(self, name: str) -> None:
        edition = self.server.editions[name]
        tag = f'"{name} {edition}"'
        if self.headers.get("If-None-Match") == tag:
            self._answer(304, b"")
            return
        self.server.sent[self.path] += 1
        self._answer(200, photo_bytes(f"{name} {edition}"), {"ETag": tag})

    def _dribble(self) -> None:
        self._answer(200, b"", {"Content-Length": "1000"})
        while not self.server.closing.wait(0.05):
            self.wfile.write(b".")

    def _pour(self) -> None:
        self.send_response(200)
        self.send_header("Connection", "close")
        self.end_headers()
        while not self.server.closing.is_set():
            self.wfile.write(bytes(65536))

    def log_message(self, format: str, *args: object) -> None:
        """Be quiet."""


@contextmanager
def serve_photos(host: str = "127.0.0.1") -> Iterator[PhotoServer]:
    """A running PhotoServer on a free port."""
    with PhotoServer(host) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield server
        finally:
            server.closing.set()
            server.shutdown()
            thread.join()
