"""ICC profiles made from their definitions, and photographs that carry them: what colour management is tested with.

`COLOR_PHOTOS` is for both decoders, Pillow's and the browser's: the same bytes must come out as the same sRGB pixels.
"""

import struct
from collections.abc import Callable

import numpy as np
from PIL import Image, ImageCms

from tests.images.pictures import blotches, encode

D50 = (0.9642, 1.0, 0.8249)
D65_TO_D50 = np.array(
    [[1.0478112, 0.0228866, -0.0501270], [0.0295424, 0.9904844, -0.0170491], [-0.0092345, 0.0150436, 0.7521316]]
)
"""Bradford's adaptation."""
SRGB_CURVE = struct.pack(
    ">4sIHH5i", b"para", 0, 3, 0, *(round(v * 65536) for v in (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045))
)
XY = {
    "display-p3": ((0.680, 0.320), (0.265, 0.690), (0.150, 0.060)),
    "adobe-rgb": ((0.640, 0.330), (0.210, 0.710), (0.150, 0.060)),
    "swapped": ((0.300, 0.600), (0.640, 0.330), (0.150, 0.060)),
}
"""Primaries; the white point is D65. Of `swapped`, sRGB's red and green have changed places: no one misses it."""
D65_XY = (0.3127, 0.3290)


def gamma_curve(gamma: float) -> bytes:
    """A tone curve."""
    return struct.pack(">4sIIH2x", b"curv", 0, 1, round(gamma * 256))


def rgb_profile(name: str, curve: bytes) -> bytes:
    """A profile of three primaries."""
    xyz = np.array([[x / y, 1.0, (1 - x - y) / y] for x, y in XY[name]]).T
    x, y = D65_XY
    white = np.array([x / y, 1.0, (1 - x - y) / y])
    columns = D65_TO_D50 @ (xyz * np.linalg.solve(xyz, white))
    colorants = {f"{letter}XYZ".encode(): _xyz(columns[:, i]) for i, letter in enumerate("rgb")}
    return _profile(b"RGB ", b"XYZ ", colorants | {f"{letter}TRC".encode(): curve for letter in "rgb"})


def gray_profile(gamma: float) -> bytes:
    """A profile of one channel."""
    return _profile(b"GRAY", b"XYZ ", {b"kTRC": gamma_curve(gamma)})


def cmyk_profile() -> bytes:
    """Inks that are less pure than those of arithmetic, as a table of 9 steps an ink to CIELAB."""
    steps = np.linspace(0, 1, 9)
    c, m, y, k = np.meshgrid(steps, steps, steps, steps, indexing="ij")
    inks = ((c, (0.0, 0.55, 0.85)), (m, (0.85, 0.1, 0.45)), (y, (1.0, 0.9, 0.05)), (k, (0.1, 0.1, 0.12)))
    rgb = np.ones((*c.shape, 3))
    for amount, color in inks:
        rgb *= 1 - amount[..., None] * (1 - np.array(color))
    shown = Image.fromarray((rgb.reshape(1, -1, 3) * 255).round().astype(np.uint8))
    lab = ImageCms.profileToProfile(
        shown, ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), outputMode="LAB"
    )
    assert lab is not None
    table = np.asarray(lab).copy()
    table[..., 1:] = table[..., 1:] ^ 0x80  # Pillow's a and b are signed, the table's are shifted by 128
    identity = struct.pack(">9i", *(65536 * v for v in (1, 0, 0, 0, 1, 0, 0, 0, 1)))
    ramp = bytes(range(256))
    lut = struct.pack(">4sIBBBx", b"mft1", 0, 4, 3, 9) + identity + ramp * 4 + table.tobytes() + ramp * 3
    return _profile(b"CMYK", b"Lab ", {b"A2B0": lut}, kind=b"prtr")


def _xyz(values: np.ndarray) -> bytes:
    return struct.pack(">4sI3i", b"XYZ ", 0, *(round(float(value) * 65536) for value in values))


def _profile(space: bytes, connection: bytes, tags: dict[bytes, bytes], kind: bytes = b"mntr") -> bytes:
    name = b"made for tests\0"
    description = struct.pack(">4sII", b"desc", 0, len(name)) + name + bytes(4 + 4 + 2 + 1 + 67)
    tags = {
        b"desc": description,
        b"cprt": struct.pack(">4sI", b"text", 0) + b"CC0\0",
        b"wtpt": _xyz(np.array(D50)),
        **tags,
    }
    offset = 128 + 4 + 12 * len(tags)
    table, bodies = struct.pack(">I", len(tags)), b""
    for tag, body in tags.items():
        table += struct.pack(">4sII", tag, offset + len(bodies), len(body))
        bodies += body + bytes(-len(body) % 4)
    header = struct.pack(">I4x4s4s4s4s12x4s", offset + len(bodies), b"\x02\x40\0\0", kind, space, connection, b"acsp")
    header += bytes(28) + struct.pack(">3i", *(round(v * 65536) for v in D50)) + bytes(48)
    return header + table + bodies


P3, ADOBE = rgb_profile("display-p3", SRGB_CURVE), rgb_profile("adobe-rgb", gamma_curve(563 / 256))
SWAPPED = rgb_profile("swapped", SRGB_CURVE)
GRAY, CMYK = gray_profile(1.8), cmyk_profile()
PHOTO = blotches(11, 64, 48)


def _seen_through(seed: int) -> Image.Image:
    """A photo that is clear on the left."""
    image = blotches(seed, 64, 48)
    image.putalpha(Image.linear_gradient("L").resize((64, 48)).rotate(90))
    return image


def _palette() -> bytes:
    image = PHOTO.quantize(16)
    return encode(image, "PNG", transparency=bytes([0, 64, 128] + [255] * 13))


def _wide() -> bytes:
    levels = np.asarray(PHOTO.convert("L")).astype(np.uint16) * 257
    return encode(Image.fromarray(levels), "PNG")


COLOR_PHOTOS: dict[str, Callable[[], bytes]] = {
    "plain.jpg": lambda: encode(PHOTO, quality=95, subsampling=0),
    "srgb.jpg": lambda: encode(
        PHOTO, quality=95, subsampling=0, icc_profile=ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    ),
    "display-p3.jpg": lambda: encode(PHOTO, quality=95, subsampling=0, icc_profile=P3),
    "display-p3.png": lambda: encode(PHOTO, "PNG", icc_profile=P3),
    "display-p3.webp": lambda: encode(PHOTO, "WEBP", lossless=True, icc_profile=P3),
    "display-p3.avif": lambda: encode(PHOTO, "AVIF", quality=100, subsampling="4:4:4", icc_profile=P3),
    "adobe-rgb.jpg": lambda: encode(PHOTO, quality=95, subsampling=0, icc_profile=ADOBE),
    "adobe-rgb-clear.png": lambda: encode(_seen_through(5), "PNG", icc_profile=ADOBE),
    "swapped.png": lambda: encode(PHOTO, "PNG", icc_profile=SWAPPED),
    "damaged-profile.jpg": lambda: encode(PHOTO, quality=95, subsampling=0, icc_profile=P3[:200]),
    "profile-of-other-mode.jpg": lambda: encode(PHOTO, quality=95, subsampling=0, icc_profile=CMYK),
    "gray.jpg": lambda: encode(PHOTO.convert("L"), quality=95),
    "gray-profile.jpg": lambda: encode(PHOTO.convert("L"), quality=95, icc_profile=GRAY),
    "gray-profile.png": lambda: encode(PHOTO.convert("L"), "PNG", icc_profile=GRAY),
    "gray-clear.png": lambda: encode(_seen_through(7).convert("LA"), "PNG", icc_profile=GRAY),
    "gray-with-profile-of-color.jpg": lambda: encode(PHOTO.convert("L"), quality=95, icc_profile=ADOBE),
    "color-with-profile-of-gray.jpg": lambda: encode(PHOTO, quality=95, icc_profile=GRAY),
    "palette-display-p3.png": lambda: encode(PHOTO.quantize(16), "PNG", icc_profile=P3),
    "cmyk.jpg": lambda: encode(PHOTO.convert("CMYK"), quality=95),
    "cmyk-profile.jpg": lambda: encode(PHOTO.convert("CMYK"), quality=95, icc_profile=CMYK),
    "palette-clear.png": _palette,
    "sixteen-bits.png": _wide,
    "one-bit.png": lambda: encode(PHOTO.convert("1"), "PNG"),
    "picture.gif": lambda: encode(PHOTO, "GIF"),
    "picture.bmp": lambda: encode(PHOTO, "BMP"),
    "chroma-halved.jpg": lambda: encode(PHOTO, quality=90),
    "chroma-halved.avif": lambda: encode(PHOTO, "AVIF", quality=90),
    "rgb.jpg": lambda: encode(PHOTO, quality=90, keep_rgb=True),
    "clear.webp": lambda: encode(_seen_through(6), "WEBP", lossless=True, exact=True),
}
"""Name with the usual ending -> the bytes of a photo of 64 x 48 px."""
