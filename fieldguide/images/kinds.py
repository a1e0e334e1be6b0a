"""What bytes are that no decoder here takes, by how they begin, so that a refusal can name it."""

import re
from dataclasses import dataclass
from typing import Final

HEAD_BYTES: Final = 2048


@dataclass(frozen=True)
class Kind:
    """One kind of file."""

    name: str
    pattern: re.Pattern[bytes]
    is_image: bool
    """Whether it holds a picture that some program shows."""
    is_read: bool = False
    """Whether the decoders here read such files, if they are whole."""


def _kind(name: str, pattern: bytes, *, is_image: bool = True, is_read: bool = False) -> Kind:
    return Kind(name, re.compile(pattern, re.DOTALL | re.IGNORECASE), is_image, is_read)


KINDS: Final = (
    _kind("JPEG", rb"\xff\xd8\xff[\xc0-\xfe]", is_read=True),
    _kind("PNG", rb"\x89PNG\r\n\x1a\n", is_read=True),
    _kind("WEBP", rb"RIFF....WEBP", is_read=True),
    _kind("GIF", rb"GIF8[79]a", is_read=True),
    _kind("BMP", rb"BM....\0\0\0\0", is_read=True),
    _kind("camera raw (CR2)", rb"II\*\0....CR"),
    _kind("TIFF", rb"(II[*+]\0|MM\0[*+])", is_read=True),
    _kind("HEIC", rb"....ftyp(hei[cmsx]|hev[cmsx]|(mif1|msf1).{4}(....)*?(hei[cmsx]|hev[cmsx]))"),
    _kind("AVIF", rb"....ftyp(avi[fs]|mif1|msf1)", is_read=True),
    _kind("camera raw (CR3)", rb"....ftypcrx "),
    _kind("camera raw", rb"FUJIFILMCCD-RAW|IIR[OS]|MMOR|IIU\0|FOVb|\0MRM"),
    _kind("JPEG 2000", rb"\0\0\0\x0cjP  \r\n\x87\n|\xff\x4f\xff\x51"),
    _kind("JPEG XL", rb"\xff\x0a|\0\0\0\x0cJXL \r\n\x87\n"),
    _kind("JPEG XR", rb"II\xbc"),
    _kind("Photoshop", rb"8BPS"),
    _kind("GIMP", rb"gimp xcf"),
    _kind("icon", rb"\0\0[\x01\x02]\0[^\0]\0"),
    _kind("OpenEXR", rb"\x76\x2f\x31\x01"),
    _kind("Radiance", rb"#\?R(ADIANCE|GBE)"),
    _kind("DDS", rb"DDS \x7c"),
    _kind("FITS", rb"SIMPLE  ="),
    _kind("DICOM", rb".{128}DICM"),
    _kind("Netpbm", rb"P[1-7]\s"),
    _kind("SVG", rb"(\xef\xbb\xbf)?\s*(<\?xml.{0,1000}?|<!--.{0,1000}?|<!doctype svg.{0,1000}?)?<svg"),
    _kind("PDF", rb"%PDF-"),
    _kind("PostScript", rb"%!PS"),
    _kind("video", rb"....ftyp|\x1a\x45\xdf\xa3|RIFF....AVI |OggS|\0\0\x01[\xb3\xba]", is_image=False),
    _kind("sound", rb"RIFF....WAVE|ID3|fLaC", is_image=False),
    _kind("HTML", rb"(\xef\xbb\xbf)?\s*<(!doctype html|html|head|body)", is_image=False),
    _kind("XML", rb"(\xef\xbb\xbf)?<\?xml", is_image=False),
    _kind("JSON", rb"\s*[{\[]\s*[\"{\[\]}]", is_image=False),
    _kind("zip", rb"PK\x03\x04", is_image=False),
    _kind("gzip", rb"\x1f\x8b", is_image=False),
    _kind("Git LFS pointer", rb"version https://git-lfs", is_image=False),
)
"""The first that fits counts."""


def find_kind(content: bytes) -> Kind | None:
    """The kind of file that begins as `content` does; None for one that is not in the table."""
    head = content[:HEAD_BYTES]
    return next((kind for kind in KINDS if kind.pattern.match(head)), None)
