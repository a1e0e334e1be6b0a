import asyncio
from collections.abc import Iterator

import pytest

from fieldguide.catalogue.schema import Status
from fieldguide.fetch import addresses
from fieldguide.fetch.download import open_downloader
from fieldguide.fetch.limits import DownloadParams
from fieldguide.fetch.outcomes import Outcome
from tests.fetch.downloading import LIMITS, get
from tests.photo_server import PhotoServer, photo_bytes, serve_photos


@pytest.fixture(scope="module")
def server() -> Iterator[PhotoServer]:
    with serve_photos() as running:
        yield running


@pytest.mark.parametrize(
    ("path", "limits", "status", "http_status"),
    [
        ("page/1.jpg", {}, Status.OK, 200),  # what the bytes are is for clean to say
        ("empty/1.jpg", {}, Status.OK, 200),
        ("404", {}, Status.MISSING, 404),
        ("410", {}, Status.MISSING, 410),
        ("203", {}, Status.OK, 203),
        ("403", {}, Status.HTTP_ERROR, 403),
        ("500", {}, Status.HTTP_ERROR, 500),
        ("429", {}, Status.HTTP_ERROR, 429),
        ("204", {}, Status.HTTP_ERROR, 204),
        ("304", {}, Status.HTTP_ERROR, 304),
        ("truncated/1", {}, Status.INCOMPLETE, None),
        ("stalled/1", {"read_timeout_s": 0.2}, Status.TIMEOUT, None),
        ("silent/1", {"read_timeout_s": 0.2}, Status.TIMEOUT, None),
        ("dribbling/1", {"total_timeout_s": 0.4}, Status.TIMEOUT, None),
        ("endless/1", {}, Status.TOO_LARGE, 200),
        ("large/1", {}, Status.TOO_LARGE, 200),
        ("loop/1", {}, Status.TOO_MANY_REDIRECTS, None),
        ("redirect/file:///etc/passwd", {}, Status.REFUSED, None),
        ("redirect/ftp://example.org/1.jpg", {}, Status.REFUSED, None),
        ("reset/1", {}, Status.CONNECTION_ERROR, None),
    ],
)
def test_every_answer_has_its_status(
    server: PhotoServer, path: str, limits: dict[str, object], status: Status, http_status: int | None
) -> None:
    [outcome] = get(server.url(path), **limits)
    assert (outcome.status, outcome.http_status) == (status, http_status)
    assert (outcome.error is None) == (status is Status.OK)
    assert (outcome.content is None) == (status is not Status.OK)


def test_the_bytes_are_those_of_the_server(server: PhotoServer) -> None:
    [outcome] = get(server.url("photo/a.jpg"))
    assert outcome == Outcome(Status.OK, 200, content=photo_bytes("a.jpg"))


@pytest.mark.parametrize("failure", ["once/429/a", "once/503/a", "once/500/a", "once/408/a"])
def test_a_passing_failure_is_retried(server: PhotoServer, failure: str) -> None:
    [outcome] = get(server.url(failure), retries=1)
    assert outcome.status is Status.OK
    assert server.asked[f"/{failure}"] == 2


@pytest.mark.parametrize("path", ["404/again", "403/again", "large/again", "loop/again"])
def test_a_final_answer_is_not_asked_for_again(server: PhotoServer, path: str) -> None:
    get(server.url(path), retries=3, max_redirects=0)
    assert server.asked[f"/{path}"] == 1


def test_retries_end(server: PhotoServer) -> None:
    [outcome] = get(server.url("503/forever"), retries=1)
    assert (outcome.status, outcome.http_status) == (Status.HTTP_ERROR, 503)
    assert server.asked["/503/forever"] == 2


def test_relative_redirects_are_followed(server: PhotoServer) -> None:
    [outcome] = get(server.url("redirect//photo/b.jpg"))
    assert outcome.content == photo_bytes("b.jpg")


SIGNED = [
    "a%2Fb%20%281%29%27s.jpg?type=image%2Fjpeg&k=a%40b&s=1",
    "a'(1)!*~.jpg?x=;,+&s=2",
    "http://h//x.jpg?s=3",
    "a/../b/./c.jpg?s=4",
    "100%.jpg?s=5",
    "Cafe%CC%81.jpg",
    "%7euser/%41.jpg",
]


@pytest.mark.parametrize("path", SIGNED)
def test_a_url_is_asked_for_as_written_directly_and_after_redirects(server: PhotoServer, path: str) -> None:
    server.signed.add(path)
    server.texts["absolute"], server.texts["rooted"] = server.url(f"signed/{path}"), f"/signed/{path}"
    urls = [server.url(f"signed/{path}"), server.url("location/absolute"), server.url("location/rooted")]
    assert [outcome.content for outcome in get(*urls)] == [photo_bytes(path)] * 3


def test_what_a_request_cannot_hold_is_percent_encoded_and_nothing_else(server: PhotoServer) -> None:
    server.signed.add("Cafe%CC%81%20%20(1).jpg?%C3%A9=%2f")
    [outcome] = get(server.url("signed/Cafe\u0301  (1).jpg?é=%2f#top"))
    assert outcome.status is Status.OK


def test_who_asks_is_said(server: PhotoServer) -> None:
    get(server.url("photo/1.jpg"), user_agent="herbarium/2 (ada@example.org)")
    assert server.agents["herbarium/2 (ada@example.org)"] == 1


def test_a_cookie_that_a_redirect_gives_is_shown_on_the_way_and_to_no_other_photo(server: PhotoServer) -> None:
    urls = [server.url(f"cookie/{number}.jpg") for number in range(2)]
    assert [outcome.status for outcome in get(*urls, concurrency=1)] == [Status.OK] * 2
    assert [server.asked[f"/cookie/{number}.jpg"] for number in range(2)] == [2, 2]


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "localhost",
        "[::ffff:127.0.0.1]",
        "0.0.0.0",
        "１２７.0.0.1",
        "①②⑦.⓪.⓪.①",
        "127。0。0。1",
        "ⓛocalhost",
    ],
)
def test_private_addresses_are_refused_unless_allowed(server: PhotoServer, host: str) -> None:
    [outcome] = get(f"http://{host}:{server.server_port}/photo/secret.jpg", allow_private=False)
    assert outcome.status is Status.REFUSED
    assert server.asked["/photo/secret.jpg"] == 0


@pytest.mark.parametrize("target", ["127.0.0.1", "localhost"])
def test_a_redirect_to_a_private_address_is_refused(monkeypatch: pytest.MonkeyPatch, target: str) -> None:
    # No test may use the internet, so one loopback address plays it.
    monkeypatch.setattr(addresses, "is_public", lambda address: str(address) == "127.0.0.2")
    with serve_photos("127.0.0.2") as internet, serve_photos() as inside:
        secret = f"http://{target}:{inside.server_port}/photo/1.jpg"
        [photo, redirect] = get(internet.url("photo/1.jpg"), internet.url(f"redirect/{secret}"), allow_private=False)
    assert photo.status is Status.OK
    assert redirect.status is Status.REFUSED
    assert not inside.asked


def test_a_stalled_photo_does_not_hold_up_the_others(server: PhotoServer) -> None:
    urls = [server.url("silent/2"), *(server.url(f"photo/{number}.jpg") for number in range(20))]
    outcomes = get(*urls, concurrency=2, read_timeout_s=0.5)
    assert [outcome.status for outcome in outcomes] == [Status.TIMEOUT, *[Status.OK] * 20]


def test_attempts_are_counted_by_host(server: PhotoServer) -> None:
    params = DownloadParams.model_validate(LIMITS | {"retries": 2})

    async def fetch_all() -> dict[str, dict[str, float]]:
        async with open_downloader(params) as downloader:
            for path in ("once/503/counted.jpg", "photo/1.jpg", "404/gone"):
                await downloader.download(server.url(path))
            return downloader.times.metrics()["attempts"]

    [(host, times)] = asyncio.run(fetch_all()).items()
    assert (host, times["num_urls"], times["num_attempts"]) == ("127.0.0.1", 3, 4)
    assert times["mean_s"] >= 0
