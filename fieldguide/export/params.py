"""The `export_tfjs` section of params.yaml."""

from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import (
    Field,
    NonNegativeFloat,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
    field_validator,
    model_validator,
)

from fieldguide.export.accent import MIN_CONTRAST, faintest
from fieldguide.params import Section

Quantization = Literal["none", "float16", "mixed", "uint8", "uint7"]
Rounding = Literal["nearest", "learned"]
Rate = Annotated[float, Field(ge=0, le=1)]


class Limits(Section):
    """How far one runtime may be from PyTorch."""

    min_top1_agreement: Rate
    """Share of the photos with the same best class, in [0, 1]."""
    max_logit_error: NonNegativeFloat
    """Largest difference of a logit."""


class RuntimeLimits(Section):
    """How far each runtime may be from PyTorch; past it the stage fails."""

    onnxruntime: Limits
    """The ONNX graph in ONNX Runtime."""
    tensorflow: Limits
    """The converted graph in TensorFlow."""
    tflite: Limits
    """The LiteRT file in TensorFlow's interpreter, if there is one."""
    tfjs_node: Limits
    """The bundle in TensorFlow.js, run by Node."""


Colour = Annotated[str, Field(pattern=r"^#[0-9a-f]{6}$")]
Line = Annotated[str, Field(min_length=1, max_length=60, pattern=r"^\S[^\r\n\t]*$")]


class Accent(Section):
    """The colour of buttons and links, `#rrggbb`, so that text in it and on it can be read."""

    light: Colour
    """On light screens, e.g. `#2f5d3a`."""
    dark: Colour
    """On dark screens, e.g. `#93c188`."""

    @model_validator(mode="after")
    def _can_be_read(self) -> Self:
        for scheme, colour in (("light", self.light), ("dark", self.dark)):
            found, beside = faintest(colour, scheme)
            if found < MIN_CONTRAST:
                wanted = "darker" if scheme == "light" else "lighter"
                raise ValueError(
                    f"{scheme} {colour} has a contrast of {found:.1f} beside {beside}; expected {MIN_CONTRAST} "
                    f"at least, which a {wanted} colour has"
                )
        return self


class Link(Section):
    """A link at the foot of the page."""

    text: Line
    """What it is called."""
    url: str
    """Its https address."""

    @field_validator("url")
    @classmethod
    def _is_https(cls, url: str) -> str:
        parts = urlsplit(url)
        if parts.scheme != "https" or not parts.hostname or not url.isprintable() or " " in url:
            raise ValueError(f"{url!r} is no https address")
        return url


class PageParams(Section):
    """The guide as its readers see it. What is null is as web/ has it."""

    title: Line | None
    """Of page and installed application, the same in all languages; null: `Pocket field guide`, translated."""
    introduction: Annotated[str, Field(min_length=1, max_length=1000)] | None
    """A paragraph below the title, or null."""
    accent: Accent | None
    """Colours of buttons and links, or null for green."""
    links: tuple[Link, ...]
    """At the foot of the page, e.g. to the group that made the guide."""


class ExportTfjsParams(Section):
    """What the bundle is like, and what it must pass."""

    production_only: bool
    """Refuse a student that began with pretrained weights whose licence does not allow any use or is not known, or one
    that was taught by a network that did. Photos are another matter: `clean.production_only`."""
    quantization: Quantization
    """Of the bundle's weights: `none`, `float16`, `mixed` (a byte in large matrices and 1x1 kernels, else float16),
    `uint8` (a byte in every kernel but the depthwise ones) or `uint7` (of that byte every second step in large kernels,
    which packs to an eighth less)."""
    rounding: Rounding
    """Of weights to bytes: to the `nearest` step, or `learned` from training photos (rounding.py)."""
    max_top1_loss: Rate
    """Share of the test photos that the smallest weights may cost to be proposed."""
    num_quantization_photos: PositiveInt
    """Test photos, at most, on which the kinds of weights are compared."""
    tflite: bool
    """Write student.tflite too, for apps that run LiteRT."""
    regions: list[str]
    """The page names only what has training photos in these regions; empty: all that the student knows."""
    num_examples: NonNegativeInt
    """Test photos that the page offers to try."""
    reference_photos_mb: NonNegativeFloat
    """Megabytes of 1e6 bytes that reference photos of the species may take: training photos whose licence allows it,
    one of each species before a second of any. 0: none."""
    species_notes: Path | None
    """A .csv or .tsv with columns species, notes and link, of which the page shows what is there; others are passed
    over, so the taxonomy table may be it. null: none."""
    num_parity_photos: PositiveInt
    """Test photos on which all runtimes must agree."""
    limits: RuntimeLimits
    """How far each runtime may be from PyTorch, which trained the student; past it the stage fails."""
    min_strange_agreement: Rate
    """Share of these photos of which the page has to say as PyTorch does whether they look too strange for a name."""
    max_bundle_mb: PositiveFloat
    """Megabytes of 1e6 bytes; a larger bundle is refused."""
    page: PageParams
    """The guide as its readers see it: title, introduction, colours, links."""
