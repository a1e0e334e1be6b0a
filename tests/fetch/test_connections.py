"""Where requests really go: what the environment's proxy is asked for, and which connections are never made."""

import asyncio
import socket
from collections.abc import Iterator

import pytest
from aiohttp.abc import AbstractResolver, ResolveResult

from fieldguide.catalogue.schema import Status
from fieldguide.errors import ParamsError
from fieldguide.fetch import addresses, connections
from fieldguide.fetch.connections import read_proxy
from tests.fetch.downloading import get
from tests.photo_server import PhotoServer, photo_bytes, serve_photos

NAMES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def proxy(monkeypatch: pytest.MonkeyPatch) -> Iterator[PhotoServer]:
    """A proxy that the environment names and that has a private address, as most have."""
    with serve_photos() as server:
        for name in ("HTTP_PROXY", "HTTPS_PROXY"):
            monkeypatch.setenv(name, f"http://ada:secret@127.0.0.1:{server.server_port}")
        yield server


def test_a_proxy_is_asked_for_what_only_it_can_reach(proxy: PhotoServer) -> None:
    url = "http://photos.example.invalid/photo/a%28%29.jpg?s=%2F"
    [outcome] = get(url, allow_private=False)
    assert outcome.content == photo_bytes("a%28%29.jpg?s=%2F")
    assert proxy.proxied == [url]


def test_a_proxy_is_asked_for_a_tunnel_where_all_is_encrypted(proxy: PhotoServer) -> None:
    [outcome] = get("https://photos.example.invalid/1.jpg", allow_private=False)
    assert outcome.status is Status.CONNECTION_ERROR
    assert "secret" not in (outcome.error or "")
    assert proxy.proxied == ["photos.example.invalid:443"]


PRIVATE = ["127.0.0.1", "localhost", "169.254.169.254", "[::1]", "intranet", "a.internal"]


@pytest.mark.parametrize("host", [*PRIVATE, "①⓪.0.0.1", "10。0。0。1"])
def test_a_proxy_is_not_asked_for_private_addresses(proxy: PhotoServer, host: str) -> None:
    outcomes = get(f"http://{host}/1.jpg", f"https://{host}/1.jpg", allow_private=False)
    assert [outcome.status for outcome in outcomes] == [Status.REFUSED] * 2
    assert not proxy.proxied


@pytest.mark.parametrize("host", PRIVATE)
def test_nor_when_a_redirect_leads_there(proxy: PhotoServer, host: str) -> None:
    url = f"http://example.invalid/redirect/http://{host}/1.jpg"
    [outcome] = get(url, allow_private=False)
    assert outcome.status is Status.REFUSED
    assert proxy.proxied == [url]


def test_a_host_that_needs_no_proxy_is_asked_itself(proxy: PhotoServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "127.0.0.2")
    with serve_photos("127.0.0.2") as other:
        [allowed] = get(other.url("photo/1.jpg"))
        [refused] = get(other.url("photo/2.jpg"), allow_private=False)
        assert (allowed.status, refused.status) == (Status.OK, Status.REFUSED)
        assert other.asked == {"/photo/1.jpg": 1}
    assert not proxy.proxied


@pytest.mark.parametrize("text", ["socks5://ada:secret@127.0.0.1:1080", "http://", "http://[", "http://a:port"])
def test_a_proxy_of_another_kind_is_an_error_where_it_is_needed(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("ALL_PROXY", text)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with serve_photos() as server:
        assert get(server.url("photo/1.jpg"))[0].status is Status.OK
    with pytest.raises(ParamsError, match="expected http://host:port") as error:
        get("http://photos.example.invalid/1.jpg")
    assert "secret" not in str(error.value)


def test_a_proxy_may_be_named_without_its_scheme() -> None:
    assert str(read_proxy("proxy.example.org:3128")) == "http://proxy.example.org:3128"


class LyingResolver(AbstractResolver):
    """Says one address is public, and then gives another: what a second answer of a name server may be."""

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        return [
            ResolveResult(hostname=host, host=address, port=port, family=socket.AF_INET, proto=6, flags=0)
            for address in ("127.0.0.1", "127.0.0.3")
        ]

    async def close(self) -> None:
        """Nothing is held."""


def test_no_connection_is_made_whatever_a_name_turns_out_to_mean(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "PublicResolver", LyingResolver)
    with serve_photos() as inside:
        [outcome] = get(f"http://photos.example.invalid:{inside.server_port}/photo/1.jpg", allow_private=False)
        assert not inside.asked
    assert outcome.status is Status.REFUSED


def test_a_check_that_fails_is_made_once_for_each_host(proxy: PhotoServer, monkeypatch: pytest.MonkeyPatch) -> None:
    checked = []

    async def check(host: str) -> None:
        checked.append(host)
        await asyncio.sleep(0)
        raise addresses.PrivateAddressError(host)

    monkeypatch.setattr(connections, "check_behind_proxy", check)
    outcomes = get(*(f"http://a.example.invalid/{number}" for number in range(5)), allow_private=False)
    assert [outcome.status for outcome in outcomes] == [Status.REFUSED] * 5
    assert checked == ["a.example.invalid"]
