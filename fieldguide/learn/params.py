"""The `embed` section of params.yaml, and what a network is made of. Nothing in these modules imports PyTorch."""

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, NonNegativeInt, PositiveFloat, PositiveInt

from fieldguide.params import Section, Side

Precision = Literal["auto", "32-true", "bf16-mixed", "fp16-mixed"]
"""`auto`: bfloat16 where an accelerator has it, else float32. `fp16-mixed` wants an accelerator."""

Outputs = Literal["prelogits", "logits"]
"""What of a network is kept: the input of its classifier, or the classifier's answers."""

Mean = tuple[float, float, float]
Std = tuple[PositiveFloat, PositiveFloat, PositiveFloat]


class _Weights(Section):
    # `from` is a keyword of Python, so the field has another name than its key.
    model_config = ConfigDict(frozen=True, extra="forbid", serialize_by_alias=True)


class ScratchWeights(_Weights):
    """Random weights, drawn from the seed."""

    origin: Literal["scratch"] = Field(alias="from")
    """`scratch`."""


class _PretrainedWeights(_Weights):
    licence: str | None
    """Under which licence the weights are, as `MIT` or `CC BY-NC 4.0`; null: nobody knows, which is no permission."""


class FileWeights(_PretrainedWeights):
    """A plain state dict: `.safetensors`, or `.pth` and the like as long as it holds nothing but tensors.

    The keys are timm's, or open_clip's of a model with an image tower (`visual.*`), whose text tower is left out.
    """

    origin: Literal["file"] = Field(alias="from")
    """`file`."""
    path: Path
    """The file, from the repository's root or absolute."""
    sha256: str | None
    """Expected digest of the file; null takes it as it is."""


class HubWeights(_PretrainedWeights):
    """The weights that timm publishes for the architecture; downloaded."""

    origin: Literal["hub"] = Field(alias="from")
    """`hub`."""


WeightsParams = Annotated[ScratchWeights | FileWeights | HubWeights, Field(discriminator="origin")]


class BackboneParams(Section):
    """A network without its classes; a part of the sections that build one."""

    architecture: str
    """A name from `timm.list_models()`."""
    architecture_args: dict[str, Any]
    """Further arguments of that timm model."""
    image_size: Side
    """Side of the input, px."""
    mean: Mean
    """Of each channel, for pixel values in [0, 1]."""
    std: Std
    """Of each channel, for pixel values in [0, 1]."""
    mask_padding: bool
    """Keep the padding around a photo from being looked at; of plain vision transformers (vit_*, deit_*) alone."""
    weights: WeightsParams
    """First weights: {from: scratch}, {from: file, path: ..., sha256: ..., licence: ...} or {from: hub, licence: ...}
    (timm's, downloaded)."""


class ReviewParams(Section):
    """What is made of the embeddings beside the features: scores, suspect labels, outliers, a map."""

    max_photos: PositiveInt
    """Photos of each split that are looked at, at most; memory grows with it times the classes."""
    folds: int = Field(ge=2)
    """Parts of the training photos; a probe that learnt from the others judges the labels of each."""
    map_photos: NonNegativeInt
    """Photos on the map at most; 0: no map."""
    truth: Path | None
    """A .json whose `label_errors` name rows of a source that are known to be wrong, to count how many are found;
    null: nothing is known."""


class FeatureParams(Section):
    """What decides the features of a photo, and how they are computed."""

    backbone: BackboneParams
    """The frozen network whose features are kept."""
    outputs: Outputs
    """`prelogits`, what the classifier sees, or `logits`, the answers of the classifier that the weights bring."""
    batch_size: PositiveInt
    """Photos at once."""
    precision: Precision
    """`auto` (bf16 where an accelerator has it), `32-true`, `bf16-mixed` or, on an accelerator, `fp16-mixed`."""
    devices: PositiveInt | Literal["auto"]
    """Accelerators, a process for each (without any: processes that share the cores); `auto`: all there are."""
    workers: NonNegativeInt
    """Processes that decode, for each device; 0: the stage's own."""
    seed: NonNegativeInt
    """Of random weights."""
    grey: bool
    """Show the network each photo in grey (ITU-R BT.601 luma, in all three channels)."""


class EmbedParams(FeatureParams):
    """The `embed` section of params.yaml."""

    review: ReviewParams
    """Scores, suspect labels and a map, made of the embeddings."""
    fuse: Literal["none", "lab"]
    """`lab`: also write the records with their embeddings and their L* and a*b* planes, as interim/embed/fused."""
