"""The rows are what publishers wrote as type, format and address, and whether that is a photograph."""

import pytest

from fieldguide.catalogue.sources.media_types import is_still


@pytest.mark.parametrize(
    ("kind", "form", "address", "still"),
    [
        ("StillImage", "", "a.jpg", True),
        ("", "image/jpeg", "a.jpg", True),
        ("image/jpeg", "StillImage", "a", True),
        ("", "jpeg", "a", True),
        ("", "JPG", "a", True),
        ("Image", "", "a", True),
        ("Still Image", "", "a", True),
        ("http://purl.org/dc/dcmitype/StillImage", "", "", True),
        ("dcmitype:StillImage", "", "", True),
        ("StillImage", "text/html", "https://a.org/viewer", True),
        ("photograph", "", "a.JPG", True),
        ("Photograph", "", "https://a.org/iiif/7/full", True),
        ("", "", "https://a.org/7.jpg?size=large", True),
        ("", "", "https://a.org/7", None),
        ("specimen", "", "https://a.org/ark:/87602/m4/379430", None),
        ("", "application/octet-stream", "https://a.org/7.jpg", True),
        ("", "", "http://[broken", None),
        ("Sound", "audio/mpeg", "a.mp3", False),
        ("", "mp3", "a", False),
        ("", "text/html", "", False),
        ("MovingImage", "", "a.jpg", False),
        ("http://purl.org/dc/dcmitype/MovingImage", "", "", False),
        ("", "video/mp4", "a", False),
        ("", "", "https://a.org/song.mp3", False),
        ("", "", "https://a.org/sheet.pdf", False),
        ("PhysicalObject", "", "https://a.org/7", False),
    ],
)
def test_is_still(kind: str, form: str, address: str, still: bool | None) -> None:
    """None where nothing says anything."""
    answers = [is_still(kind, form, address, untold=untold) for untold in (True, False)]
    assert answers == ([True, False] if still is None else [still, still])
