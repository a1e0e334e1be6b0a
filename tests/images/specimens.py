"""Photos of specimens that are alike but not the same, and what becomes of a photo that is copied."""

import io
from collections.abc import Callable

import numpy as np
from PIL import Image, ImageDraw, ImageEnhance, ImageFilter, ImageFont

from tests.images.pictures import blotches, encode


def draw_specimens(kind: str, num: int) -> list[Image.Image]:
    """Photos of different individuals that share all but their subject, with the noise of a camera."""
    rng = np.random.default_rng(11)
    return [_expose(SPECIMENS[kind](rng), rng) for _ in range(num)]


def _draw_creature(draw: ImageDraw.ImageDraw, rng: np.random.Generator, at: tuple[int, int], span: int) -> None:
    """Limbs and a body, no two alike."""
    color = tuple(rng.integers(20, 160, 3).tolist())
    for _ in range(rng.integers(4, 9)):
        angle, length = rng.uniform(0, 2 * np.pi), span * rng.uniform(0.3, 1)
        tip = (at[0] + length * np.cos(angle), at[1] + length * np.sin(angle))
        draw.line((*at, *tip), fill=color, width=int(span * rng.uniform(0.1, 0.5)))
    width, height = span * rng.uniform(0.3, 0.9, 2)
    body = tuple(rng.integers(10, 140, 3).tolist())
    draw.ellipse((at[0] - width, at[1] - height, at[0] + width, at[1] + height), fill=body)


def _on_a_sheet(rng: np.random.Generator, span: int = 40) -> Image.Image:
    image = Image.new("RGB", (600, 460), (232, 230, 224))
    middle = (300 + int(rng.integers(-25, 25)), 230 + int(rng.integers(-25, 25)))
    _draw_creature(ImageDraw.Draw(image), rng, middle, span)
    return image


def _pinned(rng: np.random.Generator) -> Image.Image:
    """With a scale bar, a colour card and a label, as museums do."""
    image = Image.new("RGB", (600, 460), (240, 240, 240))
    draw = ImageDraw.Draw(image)
    for step in range(12):
        draw.rectangle((25 + step * 20, 425, 35 + step * 20, 440), fill=(0, 0, 0))
    for step, color in enumerate(((200, 30, 30), (30, 160, 40), (30, 40, 200), (230, 220, 40), (60, 60, 60))):
        draw.rectangle((400 + step * 30, 20, 426 + step * 30, 70), fill=color)
    draw.rectangle((400, 345, 570, 445), fill=(255, 255, 255), outline=(0, 0, 0), width=2)
    for line in range(355, 440, 12):
        draw.line((410, line, 410 + int(rng.integers(80, 150)), line), fill=(20, 20, 20), width=3)
    _draw_creature(draw, rng, (250 + int(rng.integers(-10, 10)), 220 + int(rng.integers(-10, 10))), 88)
    return image


def _before_a_camera(rng: np.random.Generator) -> Image.Image:
    """A camera that never moves, and animals that do."""
    image = blotches(5, 600, 460).point(lambda level: level // 2)
    at = (int(rng.integers(130, 470)), int(rng.integers(230, 400)))
    _draw_creature(ImageDraw.Draw(image), rng, at, int(rng.integers(40, 90)))
    return image


def _expose(image: Image.Image, rng: np.random.Generator) -> Image.Image:
    soft = np.asarray(image.filter(ImageFilter.GaussianBlur(0.7)), np.float64)
    return Image.fromarray(np.clip(soft + rng.normal(0, 3, soft.shape), 0, 255).astype(np.uint8))


SPECIMENS: dict[str, Callable[[np.random.Generator], Image.Image]] = {
    "small on a sheet": _on_a_sheet,
    "large on a sheet": lambda rng: _on_a_sheet(rng, 150),
    "pinned": _pinned,
    "before a camera": _before_a_camera,
}


def _saved(image: Image.Image, quality: int = 80) -> Image.Image:
    return Image.open(io.BytesIO(encode(image, quality=quality))).convert("RGB")


def _cut(image: Image.Image, left: float, top: float, right: float, bottom: float) -> Image.Image:
    box = (left * image.width, top * image.height, (1 - right) * image.width, (1 - bottom) * image.height)
    return image.crop((round(box[0]), round(box[1]), round(box[2]), round(box[3])))


def _marked(image: Image.Image) -> Image.Image:
    marked = image.copy()
    at = (image.width * 0.6, image.height * 0.9)
    ImageDraw.Draw(marked).text(at, "(c) A. Naturalist", fill=(255, 255, 255), font=ImageFont.load_default(16))
    return marked


COPIES: dict[str, Callable[[Image.Image], Image.Image]] = {
    "saved again": lambda image: _saved(image, 30),
    "a thumbnail": lambda image: _saved(image.resize((120, 90))),
    "brighter": lambda image: _saved(ImageEnhance.Brightness(image).enhance(1.2)),
    "darker": lambda image: _saved(ImageEnhance.Brightness(image).enhance(0.7)),
    "in gray": lambda image: _saved(image.convert("L").convert("RGB")),
    "cut at all sides": lambda image: _saved(_cut(image, 0.02, 0.01, 0.02, 0.01)),
    "watermarked": lambda image: _saved(_marked(image)),
    "cut and watermarked": lambda image: _saved(_marked(_cut(image, 0.01, 0.03, 0.02, 0.01)), 70),
}
"""What other sites do to a photo."""
