"""How long hosts took, added up over photos and workers."""

import pytest

from fieldguide.fetch.host_stats import HostStats, host_of


def test_times_of_workers_are_added_up():
    one, two = HostStats(), HostStats()
    one.add("http://a.org/1.jpg", 0, 0.5)
    one.add("http://b.org/1.jpg", 0, 2.0)
    two.add("https://a.org:8080/2.jpg", 0, 1.5)
    two.add("https://a.org:8080/2.jpg", 1, 0.4)
    two.add("https://a.org:8080/2.jpg", 2, 0.6)
    one += two
    assert one.metrics() == {
        "attempts": {
            "a.org": {"num_urls": 2, "num_attempts": 4, "mean_s": 0.75},
            "b.org": {"num_urls": 1, "num_attempts": 1, "mean_s": 2.0},
        }
    }


def test_of_many_hosts_the_most_asked_are_named():
    times = HostStats()
    for number in range(30):
        for _ in range(1 + number):
            times.add(f"http://{number}.org/x.jpg", 0, 0)
    named = times.metrics()["attempts"]
    assert list(named)[:2] == ["29.org", "28.org"]
    assert len(named) == 20


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://Photos.example.org:8080/a.jpg", "photos.example.org"),
        ("s3://bucket/a.jpg", "bucket"),
        ("file:data/a.jpg", "local files"),
        ("tar://a.jpg::data/photos.tar", "local files"),
        ("http://[broken/a.jpg", "none"),
        ("nothing", "none"),
    ],
)
def test_hosts_have_names(url: str, host: str):
    assert host_of(url) == host
