"""Networks, image sizes and epochs that fit the photographs, the weights at hand, this machine and the minutes."""

import math
from collections.abc import Sequence
from typing import Any

from fieldguide.catalogue.splits import Split
from fieldguide.survey.choosing import Choice
from fieldguide.survey.headers import Headers
from fieldguide.survey.machine import Machine
from fieldguide.survey.schedule import SMALL_EPOCHS, SMALL_SIDE, Learner, Load, Schedule, plan
from fieldguide.survey.sources import shorten
from fieldguide.survey.tally import Tally
from fieldguide.survey.weights import Learning, Pretrained

STUDENTS = ("mobilenetv2_",)
"""Beginnings of the architectures that a browser runs and the export knows."""
STUDENT = "mobilenetv2_100"
TEACHER = "efficientvit_b0"
"""From random weights these two learn most in little time."""
TEACHER_PARAMETERS, STUDENT_PARAMETERS = 2_300_000, 2_300_000
WITH_ANY_SIZE = ("vit_", "deit_")
"""Transformers that must be told of another image size than their own."""

STUDENT_SIZES = (224, 160, 128, 96)
SCRATCH_STUDENT_SIZES = (160, 128, 96)
SMALL_FIRST_FROM = 160
"""Px of a student with pretrained weights; below, smaller images would show too little."""
SCRATCH_SIZES = (128, 112, 96)
TAUGHT, UNTAUGHT = (10, 3), (30, 8)
"""Epochs of a teacher, and the least, with pretrained weights and from random ones; a student learns twice as long."""
VIEWS = 3
SCRATCH: dict[str, Any] = {"from": "scratch"}
USUAL_MEGAPIXELS = 0.5
SMALL_SET = 20_000
"""Photos."""
BUNDLE_MB, PAGE_MB = 10, 3.5
"""Megabytes: what presets/base.yaml allows a bundle, and what one takes without the student, a byte a weight."""


def choose_learning(
    tally: Tally, headers: Headers, ranks: Sequence[str], machine: Machine, learning: Learning, minutes: float
) -> tuple[Choice, Schedule]:
    """Everything from resize on, and the time that it is likely to take."""
    choice = Choice()
    teacher_weights, student_weights = pick_weights(learning.pretrained)
    load = _load(tally, headers)
    # Without an accelerator decoding is a hundredth of a step at 224 px: a core of few for it alone would be idle.
    workers = min(8, max(1, machine.cores - 1) if machine.accelerator else machine.cores // 4)
    sharp = headers.shorter_side(50) or max(STUDENT_SIZES)
    teacher = _teacher(teacher_weights, sharp)
    student = _student(student_weights, sharp)
    schedule = plan(load, machine, workers, teacher, student, minutes)
    px = max(schedule.teacher_px, schedule.student_px)
    if tally.num_rows < SMALL_SET:
        # Smaller shards, or some cores would have none.
        choice.put("fetch.photos_per_shard", 256)
        choice.put("resize.photos_per_shard", 512)
        choice.put("tfrecord.records_per_shard", 1024)
    choice.set("resize.size", record_size(px), f"px; an eighth more than the largest input of {px}, for crops")
    for section in ("templates.training", "embed", "evaluate"):
        choice.put(f"{section}.workers", workers)
    batch = 64 if machine.accelerator else 32 if load.num_train >= 640 else 16
    choice.set("templates.training.batch_size", batch, f"{load.num_train:,} training photos")
    choice.put("templates.training.checkpoint_steps", max(25, min(500, load.num_train // batch)))
    if machine.trains_in_bfloat16:
        why = "this processor multiplies bfloat16 (AMX): faster, and about as good"
        choice.set("templates.training.precision", "bf16-mixed", why)
    choice.put("templates.training.rank_weights", rank_weights(ranks))
    choice.put("embed.batch_size", 64)
    choice.put("evaluate.batch_size", 64)
    imbalance = max(tally.labels.values()) * len(tally.labels) / max(1, tally.labels.total())
    balance = 0.3 if imbalance > 3 else 0.0
    why = f"the largest class has {imbalance:.1f} times as many photos as the mean"
    choice.set("templates.training.balance_fraction", balance, why)
    _choose_teacher(choice, teacher_weights, schedule)
    _choose_student(choice, student_weights, schedule)
    if learning.pretrained:
        choice.set("export_tfjs.production_only", False, "the licence of the weights is not known")
        choice.warnings.append(
            "the licence of the weights is not known: the model may not be yours to publish; if it allows any use, "
            "write it into `licence` beside each path of weights and set export_tfjs.production_only: true"
        )
    num_outputs = len(tally.labels) * len(ranks)
    size_mb = PAGE_MB + (STUDENT_PARAMETERS + 1280 * num_outputs) / 1e6
    if size_mb > BUNDLE_MB:
        choice.set("export_tfjs.max_bundle_mb", math.ceil(size_mb), f"for {num_outputs:,} outputs")
    return choice, schedule


def pick_weights(pretrained: Sequence[Pretrained]) -> tuple[Pretrained | None, Pretrained | None]:
    """The weights of the teacher, the largest network, and of the student, the largest of STUDENTS."""
    by_size = sorted(pretrained, key=lambda each: (each.num_parameters, each.path.name))
    students = [each for each in by_size if each.architecture.startswith(STUDENTS)]
    return by_size[-1] if by_size else None, students[-1] if students else None


def record_size(px: int) -> int:
    """The side of records for an input of `px`: an eighth more, in steps of 16."""
    return math.ceil(px * 8 / 7 / 16) * 16


def rank_weights(ranks: Sequence[str]) -> dict[str, float]:
    """Most for the first rank, less for the next, little for those above."""
    return {rank: (1.0, 0.3, 0.1)[min(place, 2)] for place, rank in enumerate(ranks)}


def _load(tally: Tally, headers: Headers) -> Load:
    shares = {Split.TRAIN: 0.8, Split.VAL: 0.1, Split.TEST: 0.1}
    given = tally.splits if tally.gives_splits else {}
    train, val, test = (round(given.get(split, share * tally.labels.total())) for split, share in shares.items())
    return Load(
        num_photos=tally.num_rows,
        num_train=max(1, train),
        num_val=val,
        num_test=test,
        megapixels=headers.mean_megapixels or USUAL_MEGAPIXELS,
        num_downloads=tally.num_rows - tally.num_local,
        views=VIEWS,
    )


def _teacher(weights: Pretrained | None, sharp: int) -> Learner:
    if weights is None:
        return Learner(TEACHER, TEACHER_PARAMETERS, *UNTAUGHT, _not_above(SCRATCH_SIZES, sharp))
    sizes = (weights.image_size, *(px for px in (160, 128) if px < weights.image_size))
    return Learner(weights.architecture, weights.num_parameters, *TAUGHT, sizes)


def _student(weights: Pretrained | None, sharp: int) -> Learner:
    if weights is None:
        epochs, least = UNTAUGHT
        return Learner(STUDENT, STUDENT_PARAMETERS, 2 * epochs, 2 * least, _not_above(SCRATCH_STUDENT_SIZES, sharp))
    epochs, least = TAUGHT
    sizes = _not_above(STUDENT_SIZES, sharp)
    return Learner(weights.architecture, weights.num_parameters, 2 * epochs, 2 * least, sizes, SMALL_FIRST_FROM)


def _not_above(sizes: Sequence[int], sharp: int) -> tuple[int, ...]:
    """Sizes that photos of a shorter side of `sharp` px can fill, at least the smallest."""
    return tuple(px for px in sizes if px <= sharp) or (min(sizes),)


def _choose_teacher(choice: Choice, weights: Pretrained | None, schedule: Schedule) -> None:
    name, key = _name(weights, TEACHER), "templates.backbone"
    choice.set(f"{key}.architecture", name, _origin(weights, "the teacher, and the embeddings; from random weights"))
    _set_network(choice, key, weights, schedule.teacher_px)
    choice.put("train_teacher.global", {})
    choice.set("train_teacher.global.epochs", schedule.teacher_epochs, _lasts(schedule, "teacher"))
    if weights:
        is_transformer = name.startswith(WITH_ANY_SIZE)
        why = "the head starts from the answers of a logistic regression on the embeddings"
        choice.set("train_teacher.global.head_init", "linear_probe", why)
        choice.put("train_teacher.global.learning_rate", 1e-4 if is_transformer else 3e-4)
        if is_transformer:
            choice.put("train_teacher.global.layer_decay", 0.75)
    else:
        for key, value in (("learning_rate", 3e-3), ("min_learning_rate", 1e-5), ("warmup_epochs", 2)):
            choice.put(f"templates.training.{key}", value)


def _choose_student(choice: Choice, weights: Pretrained | None, schedule: Schedule) -> None:
    key = "distill_student"
    choice.put(f"{key}.teachers", {"global": 1.0})
    choice.put(f"{key}.views", min(VIEWS, schedule.student_epochs))
    choice.set(
        f"{key}.architecture", _name(weights, STUDENT), _origin(weights, "runs in a browser; from random weights")
    )
    _set_network(choice, key, weights, schedule.student_px)
    choice.set(f"{key}.epochs", schedule.student_epochs, _lasts(schedule, "student"))
    choice.put(f"{key}.learning_rate", 1e-3 if weights else 3e-3)
    if weights:
        choice.put(f"{key}.head_init", "linear_probe")
        why = "the first third keeps what it knows of shapes and colours, and costs no backward pass"
        choice.set(f"{key}.unfreeze", {"start": 0, "duration": 0, "final_fraction": 0.65}, why)
    if weights and schedule.student_px >= SMALL_FIRST_FROM:
        small = [int(SMALL_EPOCHS * schedule.student_epochs), 16 * round(SMALL_SIDE * schedule.student_px / 16)]
        choice.set(f"{key}.image_sizes", [small], "epochs and px: small images first, more than two epochs for one")
    choice.put(f"{key}.weight_decay", 0.05)


def _set_network(choice: Choice, key: str, weights: Pretrained | None, px: int) -> None:
    args: dict[str, Any] = dict(weights.architecture_args) if weights else {}
    if weights and weights.architecture.startswith(WITH_ANY_SIZE) and px != weights.image_size:
        args["img_size"] = px
    choice.put(f"{key}.architecture_args", args)
    choice.set(f"{key}.image_size", px, f"px; the weights were trained at {weights.image_size}" if weights else "px")
    half = [0.5, 0.5, 0.5]
    choice.put(f"{key}.mean", list(weights.mean) if weights else half)
    choice.put(f"{key}.std", list(weights.std) if weights else half)
    file = (
        {"from": "file", "path": str(shorten(weights.path)), "sha256": weights.sha256, "licence": None}
        if weights
        else SCRATCH
    )
    choice.put(f"{key}.weights", dict(file))


def _name(weights: Pretrained | None, otherwise: str) -> str:
    return weights.architecture if weights else otherwise


def _origin(weights: Pretrained | None, otherwise: str) -> str:
    return f"{weights.path.name}, {weights.num_parameters / 1e6:.1f} million weights" if weights else otherwise


def _lasts(schedule: Schedule, who: str) -> str:
    return f"about {schedule.seconds[who] / 60:.0f} minutes"
