"""Objects of a bucket on a real S3 endpoint."""

from collections.abc import Iterator, Mapping

import pytest
import s3fs

from fieldguide.catalogue.schema import Status
from fieldguide.fetch.local import read_unsent
from fieldguide.fetch.outcomes import Outcome
from fieldguide.fetch.stores import Access, bucket_of
from tests.s3_server import serve_s3

PHOTO = b"photo" * 100
LIMIT = 1000
NAMES = ("1.jpg", "a  b/Cafe\u0301#1?.jpg", "100%25.jpg")


@pytest.fixture(scope="module")
def server() -> Iterator[None]:
    """A bucket `flora` with photos, which anyone may read, and `private`; and this machine's credentials."""
    with serve_s3():
        store = s3fs.S3FileSystem()
        for bucket, access in (("flora", "public-read"), ("private", "private")):
            store.mkdir(bucket, acl=access)
            for name in NAMES:
                store.pipe_file(f"{bucket}/{name}", PHOTO, ACL=access)
            store.pipe_file(f"{bucket}/large.jpg", bytes(LIMIT + 1), ACL=access)
        yield


def read(url: str, buckets: Mapping[str, Access]) -> Outcome:
    return read_unsent(url, None, LIMIT, buckets)


@pytest.mark.parametrize("access", Access)
def test_photos_of_a_bucket_that_is_named(server: None, access: Access) -> None:
    buckets = {"s3://flora": access}
    for name in NAMES:
        assert read(f"s3://flora/{name}", buckets) == Outcome(Status.OK, content=PHOTO)
    assert read("s3://flora/2.jpg", buckets).status is Status.MISSING
    assert read("s3://flora/large.jpg", buckets).status is Status.TOO_LARGE


def test_credentials_are_shown_only_where_the_parameters_say_so(server: None, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[bool] = []
    original = s3fs.S3FileSystem.__init__

    def note(self: s3fs.S3FileSystem, *args: object, **kwargs: object) -> None:
        asked.append(bool(kwargs.get("anon")))
        original(self, *args, **kwargs)

    monkeypatch.setattr(s3fs.S3FileSystem, "__init__", note)
    s3fs.S3FileSystem.clear_instance_cache()
    assert read("s3://private/1.jpg", {"s3://flora": Access.CREDENTIALS}).status is Status.REFUSED
    assert asked == []
    read("s3://flora/1.jpg", {"s3://flora": Access.ANONYMOUS})
    assert asked == [True]


@pytest.mark.parametrize(
    ("url", "status"),
    [
        ("s3://private/1.jpg", Status.REFUSED),
        ("S3://flora/1.jpg", Status.INVALID_URL),
        ("gs://flora/1.jpg", Status.REFUSED),
        ("s3://flora.evil/1.jpg", Status.REFUSED),
        ("s3://flora@private/1.jpg", Status.INVALID_URL),
        ("s3://flora:1/1.jpg", Status.INVALID_URL),
        ("s3://arn:aws:s3:us-east-1:123456789012:accesspoint/flora/1.jpg", Status.INVALID_URL),
        ("s3://../private/1.jpg", Status.REFUSED),
        ("s3:///private/1.jpg", Status.INVALID_URL),
        ("s3://flora", Status.INVALID_URL),
        ("s3://", Status.INVALID_URL),
    ],
)
def test_no_other_bucket_is_asked(url: str, status: Status) -> None:
    outcome = read(url, {"s3://flora": Access.CREDENTIALS})
    assert outcome.status is status
    if status is Status.REFUSED:
        assert "fetch.buckets in params.yaml does not name the bucket" in (outcome.error or "")


@pytest.mark.parametrize("key", ["1.jpg::file:///etc/passwd", "../private/1.jpg"])
def test_a_key_is_a_key(server: None, key: str) -> None:
    outcome = read(f"s3://flora/{key}", {"s3://flora": Access.CREDENTIALS})
    assert outcome.status in (Status.MISSING, Status.CONNECTION_ERROR)


@pytest.mark.parametrize(
    ("url", "bucket"), [("s3://b/1.jpg", "s3://b"), ("az://c/a/1.jpg", "az://c"), ("http://b/1.jpg", None)]
)
def test_which_bucket_a_url_names(url: str, bucket: str | None) -> None:
    assert bucket_of(url) == bucket
