"""The small set of records that the tests of learn/ use."""

from tests.learn.conftest import tfrecord

__all__ = ["tfrecord"]
