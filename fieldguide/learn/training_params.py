"""The `train_teacher` section of params.yaml, and what a student shares with it."""

from typing import Annotated, Any, Literal

from pydantic import Field, NonNegativeFloat, NonNegativeInt, PositiveFloat, PositiveInt, model_validator

from fieldguide.learn.augmentations import check_transform
from fieldguide.learn.params import BackboneParams, Precision
from fieldguide.params import Section

TrainSet = Literal["all", "small"]
"""Which training photos: all, or those that the split marked for quick trials (`split.train_small`)."""

Resume = Literal["exact", "compatible", "never"]
"""Which checkpoint of a killed run is taken up; see docs/resuming.md."""


class MixParams(Section):
    """How photos are mixed with one another (mixup: Zhang et al., ICLR 2018; CutMix: Yun et al., ICCV 2019)."""

    alpha: PositiveFloat
    """The share of a photo is drawn from Beta(alpha, alpha): small, and most photos stay nearly what they are."""
    probability: float = Field(gt=0, le=1)
    """Share of the batches that are mixed so; of a student's `mix`, of the photos that are shown."""


class UnfreezeParams(Section):
    """A backbone that is frozen at first and thaws from its end, epoch by epoch."""

    start: NonNegativeInt
    """The first epoch, counted from 0, in which something besides the classifier learns."""
    duration: NonNegativeInt
    """Epochs from then until all of `final_fraction` has thawed."""
    final_fraction: float = Field(gt=0, le=1)
    """Share of the backbone's weight tensors, counted from its end, that learn in the end."""


class CrossEntropy(Section):
    """Every photo counts the same."""

    kind: Literal["cross_entropy"]
    """`cross_entropy`."""


class ClassBalanced(Section):
    """Cross entropy weighted by the inverse effective number of photos (Cui et al., CVPR 2019)."""

    kind: Literal["class_balanced"]
    """`class_balanced`."""
    beta: float = Field(ge=0, lt=1)
    """0 weighs all classes the same; the nearer to 1, the nearer to one over their number of photos."""


class LogitAdjusted(Section):
    """Cross entropy of logits to which tau * log prior is added (Menon et al., ICLR 2021)."""

    kind: Literal["logit_adjusted"]
    """`logit_adjusted`."""
    tau: PositiveFloat
    """1 is the balanced softmax (Ren et al., NeurIPS 2020)."""


RankLoss = Annotated[CrossEntropy | ClassBalanced | LogitAdjusted, Field(discriminator="kind")]

Rebalancing = Literal["logit_adjustment", "tau_norm"]
"""How a finished classifier is made to favour rare classes more."""


class TrainingParams(BackboneParams):
    """What the sections of teachers and student have in common."""

    head_init: Literal["none", "linear_probe"]
    """`linear_probe`: the classifier starts as a logistic regression on frozen features, so that fine-tuning does not
    bend good ones towards a random head (LP-FT; Kumar et al., 2022). A teacher's are those of the embed stage, which
    then has the same backbone; a student's are its own, computed once."""
    transforms: list[dict[str, Any]]
    """Augmentations, `{_target_: torchvision.transforms.v2.RandomHorizontalFlip, p: 0.5}`, applied in order."""
    epochs: PositiveInt
    """Passes over the training photos."""
    batch_size: PositiveInt
    """Photos of a batch."""
    accumulate: PositiveInt
    """Batches whose gradients make one step of the optimiser, as one batch that many times as large would."""
    mixup: MixParams | None
    """Blend each photo of a batch, and its label, with another one (Zhang et al., ICLR 2018); null: never."""
    cutmix: MixParams | None
    """Paste a part of another photo of the batch into each (Yun et al., ICCV 2019); null: never."""
    drop_path: float = Field(ge=0, lt=1)
    """Share of photos that skip a residual branch, rising linearly to this at the last one (stochastic depth; Huang et
    al., 2016); 0: none."""
    unfreeze: UnfreezeParams | None
    """Thaw a frozen backbone from its end; null: all of it learns from the start."""
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
    loss: dict[str, RankLoss]
    """Of a rank that is not to have plain cross entropy: {kind: class_balanced, beta: 0.999} or {kind: logit_adjusted,
    tau: 1.0}. Counted are the photos as they are drawn, so that `balance_fraction` does not balance twice."""
    rebalance: dict[str, Rebalancing]
    """Of a rank whose finished classifier is adjusted: `logit_adjustment` or `tau_norm` (Kang et al., ICLR 2020), as
    strongly as gives the best mean accuracy of the classes on val. It goes into the classifier's own weights."""
    balance_fraction: float = Field(ge=0, le=1)
    """Draw photos of a class of n_c photos with weight (N / n_c)^fraction; 0: every photo once an epoch."""
    monitor: Literal["val_top1", "val_loss"]
    """By what an epoch is better than another: more `val_top1` (as much of it at less `val_loss` is better, too), or
    less `val_loss`. The best one's weights are kept."""
    patience: PositiveInt | None
    """Stop after so many epochs in a row none of which was better than all before; null: never."""
    train_set: TrainSet
    """Learn from `all` training photos, or from the `small` set that `split.train_small` marks."""
    max_samples: PositiveInt | None
    """Learn from so many photos only, to try things out: each class of the first rank keeps its share, at least one
    photo as long as there is room; null: all."""
    precision: Precision
    """`auto` (bf16 where an accelerator has it), `32-true`, `bf16-mixed` or, on an accelerator, `fp16-mixed`."""
    compile: bool
    """Let torch.compile make kernels for the network: minutes before the first step, then less time for each."""
    checkpoint_steps: PositiveInt
    """Batches between two resume checkpoints; one is written at the end of every epoch too."""
    resume: Resume
    """Which checkpoint of an unfinished run with the same parameters, records and weights is taken up: `exact`, one
    made by the same code, libraries, threads and device, so that the bits are those of a run that never stopped;
    `compatible`, else any, with a warning; `never`, none."""
    devices: PositiveInt | Literal["auto"]
    """Processes of this machine that train together, each on an accelerator of its own (without any: on its share of
    the cores) and with its part of every batch; `auto`: one for each accelerator. torchrun or srun overrule it."""
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
        mixed = sum(mix.probability for mix in (self.mixup, self.cutmix) if mix)
        if mixed > 1:
            raise ValueError(f"mixup and cutmix have probabilities of {mixed} together; expected at most 1")
        for key, by_rank in (("loss", self.loss), ("rebalance", self.rebalance)):
            if unknown := by_rank.keys() - self.rank_weights.keys():
                expected = ", ".join(self.rank_weights)
                raise ValueError(
                    f"{key} names {', '.join(sorted(unknown))}; expected ranks of rank_weights: {expected}"
                )
        if isinstance(self.devices, int) and self.batch_size % self.devices:
            raise ValueError(f"batch_size is {self.batch_size}; expected a multiple of devices, {self.devices}")
        if not any(self.rank_weights.values()):
            raise ValueError(f"rank_weights {self.rank_weights} teach nothing; expected one above 0")
        return self


class TeacherParams(TrainingParams):
    """One entry of the `train_teacher` section of params.yaml."""

    region: str | None
    """Learn from the photos and the classes of this region only; null: all."""
    init_from: str | None
    """Start from the best weights of this other teacher, which is then trained first, in place of `weights`; classes
    are matched by name. null: start from `weights`."""
    min_samples: dict[str, PositiveInt]
    """By rank: a class with fewer of this teacher's training photos is not learnt at that rank; its photos still teach
    the other ranks. A rank that is not named has no such limit."""
    input: Literal["records", "photos"]
    """`records`: squares of the tfrecord stage; `photos`: originals, cut to the same squares as they are needed."""
    max_failure_rate: float = Field(ge=0, lt=1)
    """Of `photos`: share of the training photos that may be skipped because they cannot be had; past it the stage
    fails."""
