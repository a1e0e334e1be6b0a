"""The `distill_student` section of params.yaml."""

from typing import Literal

from pydantic import Field, NonNegativeFloat, PositiveFloat, PositiveInt, model_validator

from fieldguide.learn.training_params import MixParams, TrainingParams
from fieldguide.params import Section, Side


class DecoupledParams(Section):
    """The two halves into which Zhao et al. (Decoupled Knowledge Distillation, 2022) take the divergence apart."""

    alpha: NonNegativeFloat
    """Weight of how sure one is of the labelled class."""
    beta: NonNegativeFloat
    """Weight of how the other classes compare."""


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
