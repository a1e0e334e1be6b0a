"""What a server sees of the limits for one host."""

import asyncio
import time
from contextlib import ExitStack

from fieldguide.catalogue.schema import Status
from fieldguide.fetch.politeness import Slots
from tests.fetch.downloading import get
from tests.photo_server import serve_photos


def test_no_more_requests_at_once_than_allowed_for_each_host() -> None:
    with serve_photos("127.0.0.1") as one, serve_photos("127.0.0.2") as other:
        one.pause_s = other.pause_s = 0.05
        urls = [server.url(f"photo/{number}") for number in range(12) for server in (one, other)]
        outcomes = get(*urls, concurrency=10, host_concurrency=3)
        assert {outcome.status for outcome in outcomes} == {Status.OK}
        assert one.most_in_flight == other.most_in_flight == 3


def test_a_host_to_which_others_redirect_is_asked_by_no_more_at_once_than_allowed() -> None:
    with serve_photos("127.0.0.1") as photos, ExitStack() as stack:
        photos.pause_s = 0.05
        others = [stack.enter_context(serve_photos(f"127.0.0.{number}")) for number in range(2, 8)]
        urls = [other.url(f"redirect/{photos.url(f'photo/{number}')}") for number in range(3) for other in others]
        # And back again, which must not make two hosts wait for each other.
        urls += [photos.url(f"redirect/{other.url('photo/1')}") for other in others]
        outcomes = get(*urls, concurrency=12, host_concurrency=2)
        assert {outcome.status for outcome in outcomes} == {Status.OK}
        assert photos.most_in_flight == 2


def test_a_slow_host_takes_no_slot_from_the_others() -> None:
    with serve_photos("127.0.0.1") as slow, serve_photos("127.0.0.2") as quick:
        urls = [slow.url(f"silent/{number}") for number in range(4)] + [quick.url(f"photo/{i}") for i in range(30)]
        outcomes = get(*urls, concurrency=2, host_concurrency=1, read_timeout_s=0.3)
        assert [outcome.status for outcome in outcomes] == [Status.TIMEOUT] * 4 + [Status.OK] * 30


def test_requests_start_in_the_order_of_the_urls_whatever_their_hosts() -> None:
    with serve_photos("127.0.0.1") as one, serve_photos("127.0.0.2") as other:
        other.asked = one.asked
        servers = [one] * 8 + [other] * 8 + [one, other] * 4
        urls = [server.url(f"photo/{number}") for number, server in enumerate(servers)]
        get(*urls, concurrency=1, host_concurrency=4)
        assert list(one.asked) == [f"/photo/{number}" for number in range(len(urls))]


def test_a_slot_that_nobody_waits_for_any_more_goes_to_the_next() -> None:
    order = []

    async def take(slots: Slots, turn: int) -> None:
        async with slots.taken(turn):
            order.append(turn)
            await asyncio.sleep(0)

    async def run() -> None:
        slots = Slots(1)
        async with slots.taken(slots.draw_turn()):
            tasks = {turn: asyncio.create_task(take(slots, turn)) for turn in (5, 3, 1, 4, 2)}
            await asyncio.sleep(0)
            tasks[1].cancel()
        # The slot has been given to turn 2 by now, which is called off before it can take it.
        tasks[2].cancel()
        await asyncio.gather(*tasks.values(), return_exceptions=True)
        async with slots.taken(slots.draw_turn()):
            order.append(9)

    asyncio.run(run())
    assert order == [3, 4, 5, 9]


def test_requests_to_one_host_are_spaced() -> None:
    with serve_photos() as server:
        started = time.monotonic()
        get(*(server.url(f"photo/{number}") for number in range(6)), host_requests_per_second=20)
        # Five gaps of a twentieth; that it takes no less is the promise.
        assert time.monotonic() - started >= 0.25


def test_a_host_that_asks_for_patience_gets_it_for_all_its_photos() -> None:
    with serve_photos() as server:
        urls = [server.url("once/503-1/a"), *(server.url(f"photo/{number}") for number in range(8))]
        started = time.monotonic()
        outcomes = get(*urls, retries=1, host_concurrency=1)
        assert {outcome.status for outcome in outcomes} == {Status.OK}
        assert time.monotonic() - started >= 1
        assert next(iter(server.asked)) == "/once/503-1/a"


def test_a_url_that_cannot_be_read_has_a_gate_too() -> None:
    outcomes = get("http://[::1/1.jpg", "http://a:b:c/1.jpg")
    assert {outcome.status for outcome in outcomes} == {Status.INVALID_URL}
