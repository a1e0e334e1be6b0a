"""A real S3 endpoint for one test file: empty at the start, whatever other files of the same process left behind."""

import urllib.request
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import s3fs

CREDENTIALS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": "us-east-1"}


@contextmanager
def serve_s3() -> Iterator[str]:
    """The address of the endpoint; AWS_ENDPOINT_URL and the credentials of this process lead there meanwhile."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the server's own imports
        from moto.server import ThreadedMotoServer

        server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
        server.start()
    host, port = server.get_host_and_port()
    try:
        # Every server of a process serves the same buckets.
        urllib.request.urlopen(f"http://{host}:{port}/moto-api/reset", data=b"").close()
        with pytest.MonkeyPatch.context() as patch:
            for name, value in CREDENTIALS.items():
                patch.setenv(name, value)
            with endpoint(f"http://{host}:{port}") as address:
                yield address
    finally:
        server.stop()


@contextmanager
def endpoint(address: str) -> Iterator[str]:
    """AWS_ENDPOINT_URL is `address` meanwhile, and no file system of before is used again."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL", address)
        s3fs.S3FileSystem.clear_instance_cache()
        try:
            yield address
        finally:
            s3fs.S3FileSystem.clear_instance_cache()
