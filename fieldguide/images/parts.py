"""What a photo file is made of, as far as pixels need it: the rest never reaches a decoder, nor what is written.

Cameras, editors and websites write comments, places, thumbnails and whole other files around the pixels. Damage there
must not cost the photo, and none of it may leave the pipeline.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Parts:
    """A photo file taken apart."""

    pixels: bytes
    """A file of the same format with the same pixels and nothing else."""
    exif: bytes | None = None
    """The TIFF structure of its Exif, as found."""
    profile: bytes | None = None
    """Its ICC profile, as found."""
    num_scans: int = 1
    """How often a decoder must go over the whole image; counted no further than MAX_SCANS + 1."""
    is_ended: bool = True
    """False if the end marker is missing; whether pixels are missing too is then an open question."""
    unsupported: str | None = None
    """What no decoder here reads, in words, if the file says that it is that."""


class CostlyError(Exception):
    """To read a photo takes many times the work of any real one."""


MAX_PROFILE_BYTES = 4_000_000
"""Of an ICC profile; those of presses take up to two million."""
