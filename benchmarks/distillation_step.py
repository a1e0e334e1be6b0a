"""What hearing the teachers costs in a step: from the cache, against running them as an online distillation does.

Only what the two do differently is measured, in turns: the teachers' logits of a batch that both have as pixels. The
student's own forward and backward pass is the same for both, and is timed beside them.
"""

import statistics
import time
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor

from fieldguide.learn.answer_cache import open_answer_cache
from fieldguide.learn.dataset import PhotoDataset, make_input
from fieldguide.learn.description import NetworkSpec
from fieldguide.learn.device import prepared_device
from fieldguide.learn.network import split_logits
from fieldguide.learn.student import prepare_student
from fieldguide.learn.student_params import DistillationParams
from fieldguide.learn.teachers import Teacher, ask_teachers
from fieldguide.learn.transforms import build_transforms
from fieldguide.records.manifest import Manifest

ROUNDS = 15


def compare_steps(params: DistillationParams, tfrecord: Path, teachers: Path) -> str:
    """A Markdown table of CPU milliseconds a step, medians of interleaved rounds."""
    setup = prepare_student(params, tfrecord)
    with prepared_device(params.precision, 0) as fabric, open_answer_cache(params.cache_gb) as cache:
        loaded = {name: Teacher.load(teachers / name) for name, weight in params.teachers.items() if weight}
        shards = Manifest.read(tfrecord).split("train").shards
        answers = ask_teachers(loaded, shards, setup.records, setup.indices, None, params, cache, fabric.device)
        transform = build_transforms(params.transforms)
        keys = next(setup.order.iterate(1))
        student = setup.network.module.to(fabric.device).train()

        def shown(spec: NetworkSpec) -> Tensor:
            images, _, _, boxes = PhotoDataset(setup.records, spec, transform, params.seed).load(keys)
            return make_input(images, boxes, spec, fabric.device)

        views, indices = torch.tensor(keys).T.contiguous().to(fabric.device)
        own = shown(setup.network.spec)
        inputs = {name: shown(teacher.network.spec) for name, teacher in loaded.items()}

        def cached() -> None:
            for each in answers.values():
                each.answer(views, indices)

        def online() -> None:
            with torch.inference_mode():
                for name, teacher in loaded.items():
                    split_logits(teacher.network.module(inputs[name]), teacher.network.spec)

        def learn() -> None:
            student(own).sum().backward()

        arms: dict[str, Callable[[], None]] = {"cached": cached, "online": online, "student": learn}
        taken: dict[str, list[float]] = {name: [] for name in arms}
        for _ in range(ROUNDS + 2):
            for name, arm in arms.items():
                started = time.process_time()
                arm()
                taken[name].append(time.process_time() - started)
    median = {name: statistics.median(seconds[2:]) * 1000 for name, seconds in taken.items()}
    step = {name: median[name] + median["student"] for name in ("cached", "online")}
    return "\n".join(
        [
            f"| teachers ({len(loaded)}), batch {len(keys)} | CPU ms a step | with the student's pass |",
            "|---|---|---|",
            *(f"| {name} | {median[name]:.2f} | {step[name]:.1f} |" for name in step),
            f"| online / cached | {median['online'] / median['cached']:.1f} | {step['online'] / step['cached']:.2f} |",
        ]
    )
