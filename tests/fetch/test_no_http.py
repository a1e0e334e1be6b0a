"""What is no HTTP, or no server, has a status and a short error."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest

from fieldguide.catalogue.schema import Status
from tests.fetch.downloading import get


@contextmanager
def no_http(answer: bytes) -> Iterator[str]:
    """The URL of a server that gives this answer, and hangs up."""

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection, suppress(OSError):
                connection.recv(65536)
                connection.sendall(answer)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/1.jpg"
        listener.shutdown(socket.SHUT_RDWR)
    thread.join()


OK = b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n"


@pytest.mark.parametrize(
    ("answer", "statuses"),
    [
        (b"\xff\xd8\xff\xe0" + bytes(range(256)) * 4000, {Status.CONNECTION_ERROR}),
        (b"HTTP/1.1 200 " + b"x" * 10**6, {Status.CONNECTION_ERROR}),
        (b"HTTP/1.1 200 OK\r\nSet-Cookie: " + b"x" * 10**6, {Status.CONNECTION_ERROR}),
        (b"HTTP/1.1 302 Found\r\nLocation: http://" + b"x" * 8000 + b"/\r\n\r\n", {Status.INVALID_URL}),
        (b"HTTP/1.1 302 Found\r\nLocation: " + b"x" * 8000 + b":/\r\n\r\n", {Status.REFUSED}),
        (
            b"HTTP/1.1 302 Found\r\nLocation: \x1b[2J\x9b:/\r\n\r\n",
            {Status.TOO_MANY_REDIRECTS, Status.CONNECTION_ERROR},
        ),
        (b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\nx", {Status.CONNECTION_ERROR}),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nz" + b"x" * 10**6,
            {Status.INCOMPLETE, Status.CONNECTION_ERROR},
        ),
        (b"\x1b[2J\xe2\x80\xae" * 1000, {Status.CONNECTION_ERROR}),
        (OK + b"ETag: \x1b\xff\r\n\r\nx", {Status.OK, Status.CONNECTION_ERROR}),
        (OK + b"ETag: \xff\r\nLast-Modified: " + b"1" * 5000 + b"\r\n\r\nx", {Status.OK}),
    ],
)
def test_what_is_no_http_has_a_short_printable_error(answer: bytes, statuses: set[Status]) -> None:
    with no_http(answer) as url:
        [outcome] = get(url)
    assert outcome.status in statuses
    assert (outcome.etag, outcome.last_modified) == (None, None)
    if outcome.error is not None:
        assert 0 < len(outcome.error) <= 300
        assert outcome.error.isprintable()


@pytest.mark.parametrize(
    ("url", "status"),
    [
        ("http://no-such-host.invalid/1.jpg", Status.CONNECTION_ERROR),
        ("http://", Status.INVALID_URL),
        ("http://[broken/1.jpg", Status.INVALID_URL),
        ("http://[@a/1.jpg", Status.INVALID_URL),
        ("http://127.1:9/1.jpg", Status.INVALID_URL),
        ("http://host:port/1.jpg", Status.INVALID_URL),
        ("http://a..b/1.jpg", Status.INVALID_URL),
    ],
)
def test_what_is_no_server_has_a_status_too(url: str, status: Status) -> None:
    [outcome] = get(url)
    assert outcome.status is status
    assert outcome.error


def test_a_closed_port_is_a_connection_error() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        [outcome] = get(f"http://127.0.0.1:{unused.getsockname()[1]}/1.jpg")
    assert outcome.status is Status.CONNECTION_ERROR
