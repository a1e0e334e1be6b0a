"""Braces stand for names as bash and WebDataset have it."""

import pytest

from fieldguide.errors import ParamsError
from fieldguide.verify.patterns import expand_braces


@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        ("a.tar", ["a.tar"]),
        ("t-{00008..00010}.tar", ["t-00008.tar", "t-00009.tar", "t-00010.tar"]),
        ("t-{8..10}", ["t-8", "t-9", "t-10"]),
        ("t-{2..0}", ["t-2", "t-1", "t-0"]),
        ("{train,val}-{0..1}", ["train-0", "train-1", "val-0", "val-1"]),
        ("s3://bucket/{a,b}/x", ["s3://bucket/a/x", "s3://bucket/b/x"]),
        ("{id}.jpg", ["{id}.jpg"]),
        ("{}", ["{}"]),
    ],
)
def test_names(pattern: str, names: list[str]):
    assert list(expand_braces(pattern)) == names


def test_too_many_names_are_refused_before_they_are_made():
    with pytest.raises(ParamsError, match="more than 1,000,000 names"):
        list(expand_braces("{0..999999999999}-{0..9}"))
