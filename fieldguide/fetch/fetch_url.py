"""Asks for one URL of any kind, and makes of what comes the bytes to keep."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from functools import partial

from fieldguide.fetch.download import NO_CONDITIONS, Downloader
from fieldguide.fetch.local import read_unsent
from fieldguide.fetch.outcomes import Outcome
from fieldguide.images.shrink import shrink


async def fetch_url(
    url: str,
    root: str | None,
    downloader: Downloader,
    max_side: int | None,
    conditions: Mapping[str, str] = NO_CONDITIONS,
) -> Outcome:
    """The outcome of `url`, shrunk to `max_side`.

    A path in it must not leave `root`. `conditions` are the headers on which a server sends only what is new.
    """
    finish = partial(_shrunk, max_side=max_side) if max_side else None
    if url.lower().startswith(("http://", "https://")):
        return await downloader.download(url, finish, conditions)
    # Within a slot too: otherwise all photos would be in memory before the first is shrunk.
    async with downloader.local_slots.taken(downloader.local_slots.draw_turn()):
        params = downloader.params
        outcome = await asyncio.to_thread(read_unsent, url, root, params.max_bytes, params.buckets)
        return await finish(outcome) if finish else outcome


async def _shrunk(outcome: Outcome, max_side: int) -> Outcome:
    if not outcome.content:
        return outcome
    return replace(outcome, content=await asyncio.to_thread(shrink, outcome.content, max_side))
