"""How many epochs, at what image sizes, fit into the minutes: an estimate from measured throughput.

Constants were measured on one core of a server's processor (docs/peers.md names it). They serve to plan: on another
machine half or twice the time is usual.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from fieldguide.survey.machine import Machine

REFERENCE_PX = 224
SPEED = {
    "mobilenetv2_100": (15.0, 75.0),
    "vit_tiny_patch16_224": (15.0, 45.0),
    "efficientvit_b0": (25.0, 100.0),
}
"""Photos a second and core at REFERENCE_PX: in training, in passes without it."""
USUAL_PARAMETERS = 3.5e6
"""With which a network that is not in SPEED is as fast as mobilenetv2_100; others by their share of it."""
IN_BFLOAT16 = 1.2
"""How much faster a processor that multiplies bfloat16 trains in it; networks for browsers gain least."""
ACCELERATED = 60.0
"""How much faster a graphics card is than one core."""
DECODED_PER_S = 250.0
"""Photos that one core decodes and augments a second: no accelerator is faster than its workers."""

SMALL_EPOCHS, SMALL_SIDE = 0.7, 9 / 14
"""The share of its epochs in which a learner that begins small does so, and the side of its images then, as a share."""

STARTS_S = 150.0
"""Of ten stages: imports, checks, MLflow, and the conversion of the bundle."""
PER_MEGAPIXEL_S = 0.05
PER_PHOTO_S = 0.02
"""Of one core in fetch, clean, resize and tfrecord together."""
DOWNLOADED_PER_S = 10.0
SPACE_PHOTOS = 4000
"""Training photos, at most, that evaluate looks at to know what is familiar (evaluate/familiarity.py)."""
RUNTIMES_S = 0.6
"""For each photo on which the runtimes are compared."""


@dataclass(frozen=True)
class Learner:
    """A network as far as time is concerned, and how long it should learn."""

    architecture: str
    num_parameters: int
    epochs: int
    """As many as do well where time allows."""
    least_epochs: int
    """Fewer teach it too little to be worth the while."""
    sizes: tuple[int, ...]
    """Px that it may work at, the best first."""
    small_first_from: int | None = None
    """Px from which on most of its epochs, the first ones, see smaller images; None: never."""

    def begins_small(self, px: int) -> bool:
        """Whether it does at that size."""
        return self.small_first_from is not None and px >= self.small_first_from


@dataclass(frozen=True)
class Load:
    """What has to be done whatever the networks are."""

    num_photos: int
    num_train: int
    num_val: int
    num_test: int
    megapixels: float
    """Of a photo, in the mean."""
    num_downloads: int
    views: int
    """Of each training photo, at which the teacher looks for the student."""


@dataclass(frozen=True)
class Schedule:
    """Sizes and epochs, and the seconds that they take."""

    teacher_px: int
    student_px: int
    teacher_epochs: int
    student_epochs: int
    seconds: dict[str, float] = field(default_factory=dict)
    """By what takes them."""

    @property
    def minutes(self) -> float:
        """All together."""
        return sum(self.seconds.values()) / 60


def plan(load: Load, machine: Machine, workers: int, teacher: Learner, student: Learner, minutes: float) -> Schedule:
    """The largest sizes at which the student gets at least half of its epochs within `minutes`, else the smallest.

    Time that is left makes it more epochs, up to twice as many; with too little both get `least_epochs`.
    """
    schedules = [
        _at(sizes, load, machine, workers, teacher, student, minutes) for sizes in _pairs(teacher.sizes, student.sizes)
    ]
    return next((schedule for schedule in schedules if schedule.student_epochs * 2 >= student.epochs), schedules[-1])


def _pairs(teacher: Sequence[int], student: Sequence[int]) -> Iterator[tuple[int, int]]:
    """From both at their best to both at their smallest, by turns; the student first, as it trains longest."""
    for step in range(max(len(teacher), len(student)) * 2 - 1):
        yield teacher[min(step // 2, len(teacher) - 1)], student[min((step + 1) // 2, len(student) - 1)]


def _at(
    sizes: tuple[int, int],
    load: Load,
    machine: Machine,
    workers: int,
    teacher: Learner,
    student: Learner,
    minutes: float,
) -> Schedule:
    teaching, looking = speeds(teacher, sizes[0], machine, workers)
    learning, answering = speeds(student, sizes[1], machine, workers)
    num_looks = 2 * (load.num_val + load.num_test) + min(load.num_train, SPACE_PHOTOS)
    seconds = {
        "starts": STARTS_S + RUNTIMES_S * min(load.num_test, 128),
        "download": load.num_downloads / DOWNLOADED_PER_S,
        "data": load.num_photos * (PER_PHOTO_S + PER_MEGAPIXEL_S * load.megapixels) / machine.cores,
        "embed": load.num_photos / looking,
        "views": load.num_train * load.views / looking,
        "evaluate": num_looks * (1 / looking + 1 / answering),
    }
    epoch_s = (
        load.num_train / teaching + load.num_val / looking,
        load.num_train / learning + load.num_val / answering,
    )
    wanted_s = teacher.epochs * epoch_s[0] + student.epochs * epoch_s[1]
    share = min(2.0, max(0.0, minutes * 60 - sum(seconds.values())) / wanted_s)
    epochs = [max(each.least_epochs, int(each.epochs * share)) for each in (teacher, student)]
    seconds |= {"teacher": epochs[0] * epoch_s[0], "student": epochs[1] * epoch_s[1]}
    return Schedule(sizes[0], sizes[1], epochs[0], epochs[1], seconds)


def _mean_area(learner: Learner, px: int) -> float:
    """Pixels that it looks at over its epochs, to those at its size."""
    return 1 - SMALL_EPOCHS * (1 - SMALL_SIDE**2) if learner.begins_small(px) else 1.0


def speeds(learner: Learner, px: int, machine: Machine, workers: int) -> tuple[float, float]:
    """Photos a second that a network is trained on, and that it looks at, on this machine.

    `workers` processes decode, each on a core of its own; the network has the others.
    """
    train, look = SPEED.get(
        learner.architecture,
        tuple(speed * USUAL_PARAMETERS / learner.num_parameters for speed in SPEED["mobilenetv2_100"]),
    )
    train *= IN_BFLOAT16 if machine.trains_in_bfloat16 else 1.0
    cores = ACCELERATED if machine.accelerator else max(1, machine.cores - workers)
    area = (REFERENCE_PX / px) ** 2
    most = DECODED_PER_S * max(1, workers)
    return min(most, train * area * cores / _mean_area(learner, px)), min(most, look * area * cores)
