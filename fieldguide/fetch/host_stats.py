"""How often hosts were asked, and how long they took to answer.

These differ from run to run, so they go to MLflow and into no output: equal runs must give equal bytes.
"""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Final, Self

from fieldguide.fetch.local import local_file
from fieldguide.fetch.stores import bucket_of
from fieldguide.fetch.target import read_target

LOCAL: Final = "local files"
MAX_HOSTS: Final = 20


@dataclass
class HostStats:
    """Counts by host."""

    urls: Counter[str] = field(default_factory=Counter)
    attempts: Counter[str] = field(default_factory=Counter)
    """Requests, of which a URL has several if the first ones failed."""
    milliseconds: Counter[str] = field(default_factory=Counter)
    """Of all attempts, without the waits before them."""

    def add(self, url: str, attempt: int, seconds: float) -> None:
        """Count an attempt, from 0, to ask for a URL."""
        host = host_of(url)
        self.urls[host] += attempt == 0
        self.attempts[host] += 1
        self.milliseconds[host] += round(1000 * seconds)

    def __iadd__(self, other: Self) -> Self:
        self.urls += other.urls
        self.attempts += other.attempts
        self.milliseconds += other.milliseconds
        return self

    def metrics(self) -> dict[str, Any]:
        """The hosts that were asked for the most URLs, JSON-ready."""
        return {
            "attempts": {
                host: {
                    "num_urls": num_urls,
                    "num_attempts": self.attempts[host],
                    "mean_s": round(self.milliseconds[host] / self.attempts[host] / 1000, 3),
                }
                for host, num_urls in sorted(self.urls.items(), key=lambda item: (-item[1], item[0]))[:MAX_HOSTS]
            }
        }


def host_of(url: str) -> str:
    """The server or bucket that a URL names, `local files`, or `none`."""
    if local_file(url) is not None:
        return LOCAL
    if bucket := bucket_of(url):
        return bucket.partition("://")[2]
    try:
        return read_target(url).host
    except ValueError:
        return "none"
