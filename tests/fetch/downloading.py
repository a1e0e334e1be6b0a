"""Downloads within limits that suit tests."""

import asyncio

from fieldguide.fetch.download import open_downloader
from fieldguide.fetch.limits import DownloadParams
from fieldguide.fetch.outcomes import Outcome

LIMITS = {
    "connect_timeout_s": 5,
    "read_timeout_s": 5,
    "total_timeout_s": 10,
    "retries": 0,
    "max_megabytes": 0.2,
    "max_redirects": 3,
    "allow_private": True,
    "buckets": {},
    "user_agent": "fieldguide tests",
    "concurrency": 8,
    "host_concurrency": 8,
    "host_requests_per_second": None,
}


def get(*urls: str, **limits: object) -> list[Outcome]:
    params = DownloadParams.model_validate(LIMITS | limits)

    async def fetch_all() -> list[Outcome]:
        async with open_downloader(params) as downloader:
            return await asyncio.gather(*map(downloader.download, urls))

    return asyncio.run(fetch_all())
