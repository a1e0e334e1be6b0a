"""Random erasing: a part of the photo is not shown, so that no single mark decides."""

import math
from collections.abc import Sequence

import torch
from PIL import Image


class RandomErasing:
    """A rectangle of noise, or of one colour, over a part of the photo (Zhong et al., AAAI 2020)."""

    def __init__(
        self,
        p: float = 0.25,
        scale: tuple[float, float] = (0.02, 0.33),
        ratio: tuple[float, float] = (0.3, 3.3),
        fill: Sequence[int] | None = None,
    ) -> None:
        """`p` is the share of photos, `scale` bounds the share of the area, `ratio` the width divided by the height.

        `fill` is red, green and blue; None: every pixel its own random colour.
        """
        self.p, self.scale, self.ratio = p, list(scale), list(ratio)
        self.fill = None if fill is None else tuple(fill)

    def __call__(self, image: Image.Image) -> Image.Image:
        """The photo with or without the rectangle; draws from torch's generator."""
        if torch.rand(1).item() >= self.p:
            return image
        area = image.width * image.height * torch.empty(1).uniform_(*self.scale).item()
        ratio = math.exp(torch.empty(1).uniform_(*map(math.log, self.ratio)).item())
        # A long one in a photo of another shape is cut to it.
        width = min(image.width, max(1, round((area * ratio) ** 0.5)))
        height = min(image.height, max(1, round((area / ratio) ** 0.5)))
        left = int(torch.randint(image.width - width + 1, (1,)))
        top = int(torch.randint(image.height - height + 1, (1,)))
        erased = image.copy()
        if self.fill is None:
            noise = torch.randint(256, (height, width, 3), dtype=torch.uint8).numpy()
            erased.paste(Image.fromarray(noise), (left, top))
        else:
            erased.paste(self.fill, (left, top, left + width, top + height))
        return erased
