"""The rows are the specification: weights, photos and minutes, and the networks, sizes and epochs chosen for them."""

from collections import Counter
from dataclasses import replace
from typing import Any

import pytest

from fieldguide.consistency import check_consistency
from fieldguide.presets import expand
from fieldguide.sections import check_params
from fieldguide.survey.choosing import lay_over
from fieldguide.survey.data_choice import choose_data
from fieldguide.survey.learning_choice import choose_learning, pick_weights, rank_weights, record_size
from fieldguide.survey.machine import Machine
from fieldguide.survey.ranks import NO_RANKS
from fieldguide.survey.schedule import Learner, Load, Schedule, plan, speeds
from fieldguide.survey.tally import Tally
from fieldguide.survey.weights import Learning, Pretrained
from tests.survey.making import FOLDERS, MOBILENET, TWO_CORES, VIT, given, headers, pretrained, tally

MANY = {f"species {number}": 60 for number in range(50)}
AMX = replace(TWO_CORES, multiplies_bfloat16=True)
GPU = Machine(cores=8, memory_gb=64.0, accelerator="a card")


def choose(
    *weights: Pretrained,
    found: Tally | None = None,
    short: int = 400,
    minutes: float = 30,
    machine: Machine = TWO_CORES,
) -> tuple[dict[str, Any], Schedule]:
    """The whole params, checked as every stage would, and the schedule."""
    found = found or tally(MANY)
    learning = Learning(machine.accelerator, weights)
    choice, schedule = choose_learning(found, headers(short), ["species"], machine, learning, minutes)
    data = choose_data(FOLDERS, found, headers(short), NO_RANKS)
    params = expand(lay_over(data.overlay, choice.overlay))
    check_params(params)
    check_consistency(params)
    return params, schedule


@pytest.mark.parametrize(
    ("weights", "teacher", "student", "probe"),
    [
        ([], ("efficientvit_b0", "scratch"), ("mobilenetv2_100", "scratch"), "none"),
        ([VIT, MOBILENET], ("vit_tiny_patch16_224", "file"), ("mobilenetv2_100", "file"), "linear_probe"),
        ([VIT], ("vit_tiny_patch16_224", "file"), ("mobilenetv2_100", "scratch"), "linear_probe"),
        ([MOBILENET], ("mobilenetv2_100", "file"), ("mobilenetv2_100", "file"), "linear_probe"),
    ],
)
def test_weights_make_networks(
    weights: list[Pretrained], teacher: tuple[str, str], student: tuple[str, str], probe: str
):
    params, _ = choose(*weights)
    networks = params["train_teacher"]["global"], params["distill_student"]
    assert [(each["architecture"], each["weights"]["from"]) for each in networks] == [teacher, student]
    assert networks[0]["head_init"] == probe
    assert (networks[1]["head_init"] == "linear_probe") == (student[1] == "file")
    # What licence weights are under their file does not say.
    assert params["export_tfjs"]["production_only"] == (not weights)
    assert all(networks[0][key] == value for key, value in params["embed"]["backbone"].items())


def test_a_student_is_what_a_browser_runs():
    small, large = pretrained("mobilenetv2_050", 1_000_000), pretrained("resnet50", 25_000_000)
    assert pick_weights([small, large, MOBILENET]) == (large, MOBILENET)
    assert pick_weights([large]) == (large, None)
    assert pick_weights([]) == (None, None)


@pytest.mark.parametrize(
    ("machine", "precision"),
    [(TWO_CORES, "auto"), (AMX, "bf16-mixed"), (replace(AMX, accelerator="a card"), "auto")],
)
def test_a_processor_that_multiplies_bfloat16_trains_in_it(machine: Machine, precision: str):
    params, _ = choose(machine=machine)
    trained = (params["train_teacher"]["global"], params["distill_student"])
    assert [each["precision"] for each in trained] == [precision, precision]
    assert params["embed"]["precision"] == "auto"
    student = Learner("mobilenetv2_100", 2_000_000, 20, 6, (224,))
    teaching, looking = speeds(student, 224, machine, workers=0)
    slower, as_fast = speeds(student, 224, replace(machine, multiplies_bfloat16=False), workers=0)
    assert (teaching > slower) == (precision == "bf16-mixed")
    assert looking == as_fast


@pytest.mark.parametrize("minutes", [5, 15, 30, 60, 240])
@pytest.mark.parametrize("machine", [TWO_CORES, AMX, GPU])
@pytest.mark.parametrize("weights", [(), (VIT, MOBILENET)])
def test_more_minutes_never_make_less(weights: tuple[Pretrained, ...], machine: Machine, minutes: float):
    _, fewer = choose(*weights, minutes=minutes, machine=machine)
    _, more = choose(*weights, minutes=2 * minutes, machine=machine)
    assert more.student_px >= fewer.student_px
    assert more.teacher_px >= fewer.teacher_px
    if more.student_px == fewer.student_px and more.teacher_px == fewer.teacher_px:
        assert more.student_epochs >= fewer.student_epochs
    is_least = fewer.student_epochs <= 6 * (1 if weights else 3)
    assert fewer.minutes <= minutes or is_least


def test_a_transformer_is_told_of_another_size_than_its_own():
    params, schedule = choose(VIT, MOBILENET, minutes=10)
    assert schedule.teacher_px < 224
    assert params["train_teacher"]["global"]["architecture_args"] == {"img_size": schedule.teacher_px}
    assert params["distill_student"]["architecture_args"] == {"pad_type": "same"}


def test_a_student_with_weights_sees_small_images_first():
    params, schedule = choose(VIT, MOBILENET, minutes=240)
    student = params["distill_student"]
    assert student["image_size"] == schedule.student_px == 224
    assert student["image_sizes"] == [[int(0.7 * student["epochs"]), 144]]
    for plainly, decay in ((choose(minutes=240), 0.05), (choose(VIT, MOBILENET, short=130), 0.05)):
        assert plainly[0]["distill_student"]["image_sizes"] == []
        assert plainly[0]["distill_student"]["weight_decay"] == decay


def test_small_photos_are_not_blown_up():
    _, schedule = choose(short=100, minutes=600)
    assert (schedule.teacher_px, schedule.student_px) == (96, 96)


@pytest.mark.parametrize(("px", "side"), [(96, 112), (128, 160), (160, 192), (224, 256)])
def test_records_leave_room_for_crops(px: int, side: int):
    assert record_size(px) == side


def test_the_first_rank_weighs_most():
    assert rank_weights(["species"]) == {"species": 1.0}
    assert rank_weights(["species", "genus", "family", "order"]) == {
        "species": 1.0,
        "genus": 0.3,
        "family": 0.1,
        "order": 0.1,
    }


@pytest.mark.parametrize(("counts", "fraction"), [({"A": 60, "B": 50}, 0.0), ({**MANY, "common": 900}, 0.3)])
def test_a_long_tail_is_balanced(counts: dict[str, int], fraction: float):
    params, _ = choose(found=tally(counts))
    assert params["train_teacher"]["global"]["balance_fraction"] == fraction


def test_many_classes_need_a_larger_bundle():
    assert choose()[0]["export_tfjs"]["max_bundle_mb"] == 10
    assert choose(found=tally({f"species {n}": 12 for n in range(10_000)}))[0]["export_tfjs"]["max_bundle_mb"] == 19


def test_a_given_split_says_how_much_is_trained():
    found = tally(MANY)
    half = replace(found, splits=given(1000, 1000, 1000), train_labels=Counter(MANY))
    (_, drawn), (_, honoured) = choose(found=found), choose(found=half)
    assert honoured.student_epochs > drawn.student_epochs


def test_a_network_that_nobody_measured_is_as_slow_as_it_is_large():
    load = Load(num_photos=1000, num_train=800, num_val=100, num_test=100, megapixels=1.0, num_downloads=0, views=2)
    student = Learner("mobilenetv2_100", 2_000_000, 20, 6, (128,))
    slow = plan(load, TWO_CORES, 1, Learner("resnet50", 25_000_000, 10, 3, (224,)), student, 60)
    fast = plan(load, TWO_CORES, 1, Learner("resnet18", 11_000_000, 10, 3, (224,)), student, 60)
    assert slow.seconds["embed"] > fast.seconds["embed"]
    assert slow.teacher_epochs < fast.teacher_epochs
