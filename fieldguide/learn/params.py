"""The `embed`, `train_teacher` and `distill_student` sections of params.yaml. Nothing here imports PyTorch."""

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, NonNegativeFloat, NonNegativeInt, PositiveFloat, PositiveInt, model_validator

from fieldguide.learn.augmentations import check_transform
from fieldguide.params import Section, Side

Precision = Literal["auto", "32-true", "bf16-mixed"]
"""`auto`: bfloat16 where an accelerator has it, else float32."""

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


class FileWeights(_Weights):
    """A plain state dict: `.safetensors`, or `.pth` and the like as long as it holds nothing but tensors."""

    origin: Literal["file"] = Field(alias="from")
    """`file`."""
    path: Path
    """The file, from the repository's root or absolute."""
    sha256: str | None
    """Expected digest of the file; null takes it as it is."""


class HubWeights(_Weights):
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
    weights: WeightsParams
    """First weights: {from: scratch}, {from: file, path: ..., sha256: ...} or {from: hub} (timm's, downloaded)."""


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


class EmbedParams(Section):
    """The `embed` section of params.yaml."""

    backbone: BackboneParams
    """The frozen network whose features are kept."""
    outputs: Outputs
    """`prelogits`, what the classifier sees, or `logits`, the answers of the classifier that the weights bring."""
    batch_size: PositiveInt
    """Photos at once."""
    precision: Precision
    """`auto` (bf16 where an accelerator has it), `32-true` or `bf16-mixed`."""
    devices: PositiveInt | Literal["auto"]
    """Accelerators, a process for each (without any: processes that share the cores); `auto`: all there are."""
    workers: NonNegativeInt
    """Processes that decode, for each device; 0: the stage's own."""
    review: ReviewParams
    """Scores, suspect labels and a map, made of the embeddings."""
    seed: NonNegativeInt
    """Of random weights."""
    grey: bool
    """Show the network each photo in grey (ITU-R BT.601 luma, in all three channels)."""
    fuse: Literal["none", "lab"]
    """`lab`: also write the records with their embeddings and their L* and a*b* planes, as interim/embed/fused."""


class TrainingParams(BackboneParams):
    """What the sections of teachers and student have in common."""

    head_init: Literal["none", "linear_probe"]
    """`linear_probe`: the classifier starts as a logistic regression on the embed stage's features, so that
    fine-tuning does not bend good features towards a random head (LP-FT; Kumar et al., 2022)."""
    transforms: list[dict[str, Any]]
    """Augmentations, `{_target_: torchvision.transforms.v2.RandomHorizontalFlip, p: 0.5}`, applied in order."""
    epochs: PositiveInt
    """Passes over the training photos."""
    batch_size: PositiveInt
    """Photos a step."""
    optimizer: str
    """A name that timm's create_optimizer_v2 knows."""
    learning_rate: PositiveFloat
    """At its highest; it rises linearly over `warmup_epochs` and then falls along a cosine to `min_learning_rate`."""
    min_learning_rate: NonNegativeFloat
    """Where the learning rate starts and ends."""
    warmup_epochs: NonNegativeFloat
    """Epochs over which the learning rate rises."""
    weight_decay: NonNegativeFloat
    """Of all weights but biases and norms."""
    layer_decay: PositiveFloat | None
    """Factor by which the learning rate shrinks from each layer to the one below it; null: none."""
    clip_norm: PositiveFloat | None
    """Largest norm of the gradient; null: any."""
    ema_decay: float | None = Field(gt=0, lt=1)
    """Keep and evaluate a moving average of the weights; null: the weights themselves."""
    label_smoothing: float = Field(ge=0, lt=1)
    """Share of the label's probability that is spread over all classes."""
    rank_weights: dict[str, NonNegativeFloat]
    """Weight of each rank in the loss: those of `split.ranks`."""
    balance_fraction: float = Field(ge=0, le=1)
    """Draw photos of a class of n_c photos with weight (N / n_c)^fraction; 0: every photo once an epoch."""
    patience: PositiveInt | None
    """Stop after so many epochs without a better validation top-1; null: never."""
    max_samples: PositiveInt | None
    """Learn from so many photos only, to try things out; null: all."""
    precision: Precision
    """`auto` (bf16 where an accelerator has it), `32-true` or `bf16-mixed`."""
    checkpoint_steps: PositiveInt
    """Steps between two resume checkpoints; one is written at the end of every epoch too."""
    workers: NonNegativeInt
    """Processes that decode and augment, each on a core of its own; 0: the training process does. Images are the same,
    but torch's threads get the other cores, and the last bits of a sum depend on how many threads share it."""
    seed: NonNegativeInt
    """Of random weights, batch order, augmentation and dropout."""

    @model_validator(mode="after")
    def _transforms_and_weights_make_sense(self) -> "TrainingParams":
        for number, step in enumerate(self.transforms):
            check_transform(step, f"transforms[{number}]")
            size = step.get("size")
            if size is not None and size not in (self.image_size, [self.image_size, self.image_size]):
                raise ValueError(
                    f"transforms[{number}] makes images of {size} px, image_size is {self.image_size}; expected the "
                    "same, or fieldguide.learn.transforms.RandomCrop, which leaves the size to the network"
                )
        if not any(self.rank_weights.values()):
            raise ValueError(f"rank_weights {self.rank_weights} teach nothing; expected one above 0")
        return self


class TeacherParams(TrainingParams):
    """One entry of the `train_teacher` section of params.yaml."""

    region: str | None
    """Learn from the photos and the classes of this region only; null: all."""
    input: Literal["records", "photos"]
    """`records`: squares of the tfrecord stage; `photos`: originals, cut to the same squares as they are needed."""
    max_failure_rate: float = Field(ge=0, lt=1)
    """Of `photos`: share of the training photos that may be skipped because they cannot be had; past it the stage
    fails."""


class DecoupledParams(Section):
    """The two halves into which Zhao et al. (Decoupled Knowledge Distillation, 2022) take the divergence apart."""

    alpha: NonNegativeFloat
    """Weight of how sure one is of the labelled class."""
    beta: NonNegativeFloat
    """Weight of how the other classes compare."""


class MixParams(Section):
    """Pairs of photos laid over each other, the same ones for teachers and student (mixup; Zhang et al., 2018)."""

    alpha: PositiveFloat
    """Shares are drawn from Beta(alpha, alpha): 1 makes all alike, small values leave nearly one photo alone."""
    probability: float = Field(gt=0, le=1)
    """Share of the shown photos that have another one laid over them."""


class CachedAnswersParams(Section):
    """What is kept of a teacher's answer."""

    kind: Literal["prelogits", "topk"]
    """`prelogits`: what its classifier sees, float16; `topk`: the `k` largest logits of each rank."""
    k: PositiveInt
    """Of topk: logits kept at each rank; the other classes share what is left alike."""


class DistillationParams(TrainingParams):
    """A student: how it is trained and whom it listens to."""

    temperature: PositiveFloat
    """By which logits are divided before teachers and student are compared."""
    soft_weight: NonNegativeFloat
    """Weight of the teachers' word in the loss."""
    hard_weight: NonNegativeFloat
    """Weight of the labels' word in the loss."""
    feature_weight: NonNegativeFloat
    """Weight of the teachers' features in the loss. With this and `soft_weight` 0 no teacher is asked."""
    standardize: bool
    """Compare logits by their z-scores, so that the student need not match the teachers' scale (Sun et al., Logit
    Standardization in Knowledge Distillation, CVPR 2024)."""
    decoupled: DecoupledParams | None
    """Weigh the two halves of the divergence apart; null: the divergence itself."""
    teachers: dict[str, NonNegativeFloat] = Field(min_length=1)
    """Weight of each teacher, by its name in `train_teacher`."""
    views: PositiveInt
    """Augmented views of each photo that the teachers are asked about; epoch e shows view e modulo `views`."""
    mix: MixParams | None
    """Lay pairs of photos over each other; null: none."""
    cache: CachedAnswersParams
    """What is kept of the teachers' answers, in `.cache/teachers` of the main repository."""
    cache_gb: PositiveFloat
    """Size of that folder, of 1e9 bytes; answers that were used longest ago go first."""
    compare_hard: bool
    """Train the same student on the labels alone, too, and say what the teachers gave; takes twice the time."""
    image_sizes: list[tuple[PositiveInt, Side]]
    """[[epochs, side], ...]: for so many epochs images of that side, px, then the next, and `image_size` in the end
    (progressive resizing); []: always `image_size`."""

    @property
    def has_teachers(self) -> bool:
        """Whether teachers are asked at all."""
        return bool(self.soft_weight or self.feature_weight)

    @model_validator(mode="after")
    def _options_go_together(self) -> "DistillationParams":
        if self.feature_weight and self.cache.kind != "prelogits":
            raise ValueError(
                f"feature_weight is {self.feature_weight}, but cache.kind {self.cache.kind} keeps no features; "
                "expected prelogits, or feature_weight 0"
            )
        if self.compare_hard and not self.has_teachers:
            raise ValueError(
                "compare_hard is true, but soft_weight and feature_weight are 0, so there are no teachers to compare "
                "with; expected false"
            )
        for key in ("mixup", "cutmix"):
            if self.has_teachers and getattr(self, key, None) is not None:
                raise ValueError(f"{key} mixes photos that no teacher saw together; expected null, and mix instead")
        if self.image_sizes and sum(epochs for epochs, _ in self.image_sizes) >= self.epochs:
            raise ValueError(
                f"image_sizes {self.image_sizes} leave no epoch of {self.epochs} for image_size; expected fewer"
            )
        return self
