"""Servers of shards that behave as servers do on a bad day, and a watcher of the disk."""

import os
import re
import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


class ShardServer(ThreadingHTTPServer):
    """Serves the files of a folder with ranges and tags; `faults` of a file happen one after the other, then none."""

    daemon_threads = True

    def __init__(self, folder: Path) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.folder = folder
        self.faults: dict[str, list[str]] = {}
        """By file name: 500, 429, drop (in the middle of the body), short (a body that ends early, and says so), wrong
        (other bytes), plain (no ranges), redirect."""
        self.asked: Counter[str] = Counter()
        self.ranges: Counter[str] = Counter()
        """Requests for less than the whole, by file name."""
        self.lock = threading.Lock()

    def handle_error(self, request: object, client_address: object) -> None:
        """Clients that hang up are part of the tests."""

    def url(self, name: str) -> str:
        return f"http://127.0.0.1:{self.server_port}/set/{name}"


class _Handler(BaseHTTPRequestHandler):
    server: ShardServer
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        name = self.path.rpartition("/")[2]
        file = self.server.folder / name
        start = int((re.match(r"bytes=(\d+)-", self.headers.get("Range", "")) or [0, 0])[1])
        with self.server.lock:
            self.server.asked[name] += 1
            self.server.ranges[name] += start > 0
            probe = self.headers.get("Range") == "bytes=0-0"
            faults = self.server.faults.get(name, [])
            fault = faults.pop(0) if faults and not probe else ""
        if not file.is_file():
            return self._answer(404, b"")
        content = file.read_bytes()
        if fault in ("500", "429"):
            return self._answer(int(fault), b"", {"Retry-After": "0"})
        if fault == "redirect":
            return self._answer(302, b"", {"Location": f"/elsewhere/{name}"})
        if fault == "wrong":
            return self._answer(200, content[:-1] + bytes([content[-1] ^ 1]))
        if fault == "short":
            return self._answer(200, content[:-7])
        if fault == "plain" or "Range" not in self.headers:
            return self._answer(200, content, is_dropped=fault == "drop")
        end = 1 if probe else len(content)
        span = {"Content-Range": f"bytes {start}-{end - 1}/{len(content)}"}
        return self._answer(206, content[start:end], span, is_dropped=fault == "drop")

    def _answer(
        self, code: int, body: bytes, headers: dict[str, str] | None = None, *, is_dropped: bool = False
    ) -> None:
        self.send_response(code)
        for name, value in {"Content-Length": str(len(body)), "ETag": '"one"', **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body[: len(body) // 2] if is_dropped else body)
        self.wfile.flush()
        if is_dropped:
            self.close_connection = True

    def log_message(self, format: str, *args: object) -> None:
        """Be quiet."""


@contextmanager
def serve_shards(folder: Path) -> Iterator[ShardServer]:
    """A running ShardServer on a free port."""
    with ShardServer(folder) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


@contextmanager
def dropping_proxy(port: int, every: int, after_bytes: int) -> Iterator[tuple[int, Counter[str]]]:
    """The port of a proxy before another one: every so many connections it hangs up after so many bytes of answer.

    The second is the count of `connections`, and of those that were `dropped`.
    """
    listener = socket.create_server(("127.0.0.1", 0))
    count = Counter[str]()

    def pump(source: socket.socket, target: socket.socket, most: int | None) -> None:
        left = most
        with suppress(OSError):
            while content := source.recv(4096):
                target.sendall(content[:left])
                left = None if left is None else left - len(content)
                if left is not None and left <= 0:
                    count["dropped"] += 1
                    break
        for each in (source, target):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    def join(client: socket.socket, most: int | None) -> None:
        with client, socket.create_connection(("127.0.0.1", port)) as server:
            there = threading.Thread(target=pump, args=(client, server, None))
            there.start()
            pump(server, client, most)
            there.join()

    def serve() -> None:
        with suppress(OSError):
            while True:
                client, _ = listener.accept()
                count["connections"] += 1
                most = after_bytes if count["connections"] % every == 0 else None
                joined.append(threading.Thread(target=join, args=(client, most)))
                joined[-1].start()

    joined = [threading.Thread(target=serve)]
    joined[0].start()
    try:
        yield listener.getsockname()[1], count
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        joined[0].join()
        listener.close()
        for each in joined[1:]:
            each.join()


class DiskWatch:
    """Looks all the time how much a folder takes on disk."""

    def __init__(self, folder: Path) -> None:
        self._folder, self.most, self.looks = folder, 0, 0
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._look)

    def __enter__(self) -> "DiskWatch":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._is_over.is_set():
            total = 0
            # os.walk passes over folders that go while it looks; rglob raises.
            for place, _, names in os.walk(self._folder):
                for path in (Path(place), *(Path(place, name) for name in names)):
                    with suppress(FileNotFoundError):
                        total += path.stat().st_blocks * 512
            self.most, self.looks = max(self.most, total), self.looks + 1
            time.sleep(0.001)
