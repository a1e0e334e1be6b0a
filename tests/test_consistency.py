"""Parameters that contradict each other are refused; what is absent contradicts nothing."""

from copy import deepcopy
from typing import Any

import pytest

from fieldguide.consistency import RULES, WHOLE_RULES, check_consistency
from fieldguide.errors import ParamsError
from fieldguide.presets import expand, load_overlay, set_values

BACKBONE = {
    "architecture": "vit",
    "architecture_args": {},
    "image_size": 224,
    "mean": [0.5, 0.5, 0.5],
    "std": [0.5, 0.5, 0.5],
    "weights": {"from": "hub", "licence": None},
}
FOLDERS = {"kind": "folders", "pattern": None, "fill": {"region": None}}


def probing(**changes: Any) -> dict[str, Any]:
    """A teacher that starts from a probe of `BACKBONE`, but for some keys."""
    return {"embed": {"backbone": BACKBONE}, "train_teacher": {"a": BACKBONE | {"head_init": "linear_probe"} | changes}}


def regional(region: str, source: dict[str, Any], **regions: Any) -> dict[str, Any]:
    """A teacher of a region, one source and `fetch.regions`."""
    return {
        "fetch": {"sources": {"mine": source}, "regions": {"polygons": None, "boxes": {}, "countries": {}} | regions},
        "train_teacher": {"a": {"region": region}},
    }


def boxed(columns: dict[str, str] | None, max_side: int | None = None, **source: Any) -> dict[str, Any]:
    """Crops to the boxes of one source."""
    sources = {"mine": source | ({"columns": columns} if columns is not None else {})}
    return {"fetch": {"sources": sources, "max_side": max_side}, "resize": {"method": "bbox"}}


def published(student: dict[str, Any], teacher: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """A student and the teacher `b` that it hears, which starts from `a`; the bundle is for production."""
    hears = {"weights": student, "soft_weight": 0.7, "teachers": {"b": 1.0, "c": 0.0}} | changes
    unheard = {"weights": {"from": "hub", "licence": None}}
    teachers = {"a": {"weights": teacher}, "b": unheard | {"init_from": "a"}, "c": unheard}
    return {"distill_student": hears, "train_teacher": teachers, "export_tfjs": {"production_only": True}}


def masking(resize: dict[str, Any], *transforms: dict[str, Any], **student: Any) -> dict[str, Any]:
    """A teacher that masks padding, and a student that hears it and is shown the same."""
    teacher = {"mask_padding": True, "transforms": list(transforms)}
    hears = {"mask_padding": False, "transforms": list(transforms), "teachers": {"a": 1.0}} | student
    return {"resize": resize, "train_teacher": {"a": teacher}, "distill_student": hears}


FLIP, CROP, COLOR, TURN = (
    {"_target_": f"torchvision.transforms.v2.{name}"}
    for name in ("RandomHorizontalFlip", "RandomResizedCrop", "ColorJitter", "RandomRotation")
)
SCRATCH = {"from": "scratch"}
FREE, BOUND = ({"from": "file", "path": "w.pth", "licence": licence} for licence in ("MIT License", "CC BY-NC 4.0"))

AGREEING = [
    {},
    {"export_tfjs": {"reference_photos_mb": 2, "max_bundle_mb": 10}},
    {"split": {"ranks": ["species"]}},
    {"train_teacher": None, "distill_student": None, "fetch": None},
    {"train_teacher": {"a": {"rank_weights": {"genus": 1, "species": 1}}}, "split": {"ranks": ["species", "genus"]}},
    {"train_teacher": {"a": {}, "b-2.x_Y": {}}, "distill_student": {"teachers": {"a": 1}}},
    {"distill_student": {"teachers": {"a": 1}}},
    {"fetch": {"sources": {"db": {"url": "postgresql://reader:$PASSWORD@host/db"}, "m": {"url": "mongodb://$HOST/"}}}},
    {"fetch": {"sources": {"list": {"path": "https://a.org/12@N05/list:1.txt"}}}},
    probing(),
    probing(head_init="none", image_size=96),
    regional("EU_SW", FOLDERS, countries={"EU_SW": ["PT"]}),
    regional("EU_SW", FOLDERS, boxes={"EU_SW": [0, 0, 1, 1]}),
    regional("EU_SW", FOLDERS | {"fill": {"region": "EU_SW"}}),
    regional("EU_SW", FOLDERS | {"pattern": "(?P<region>[^/]+)/(?P<label>[^/]+)/.*"}),
    regional("EU_SW", {"kind": "observations", "columns": {"region": "place"}}),
    regional("EU_SW", {"kind": "dwca", "region": "stateProvince"}),
    boxed(None, 512, kind="inat2017"),
    boxed({"box": "bbox"}, kind="observations"),
    boxed({"box": "bbox", "width": "w", "height": "h"}, 512, kind="observations"),
    {"resize": {"method": "bbox"}},
    {"distill_student": {"soft_weight": 0.0, "mixup": {"alpha": 0.2, "probability": 0.5}}},
    {"train_teacher": {"a": {"mixup": {"alpha": 0.2, "probability": 0.5}}}},
    {"resize": {"format": "webp", "subsampling": "4:2:0"}},
    {"resize": {"format": "png", "subsampling": "4:4:4"}},
    {"train_teacher": {"a": BACKBONE, "b": BACKBONE | {"init_from": "a", "image_size": 384, "head_init": "none"}}},
    {"train_teacher": {"a": {"init_from": None}, "b": {"init_from": "a"}, "c": {"init_from": "b"}}},
    {"train_teacher": {"a": {"min_samples": {"genus": 5}}}, "split": {"ranks": ["species", "genus"]}},
    {"train_teacher": {"a": {"train_set": "small"}}, "split": {"train_small": 0.1}},
    published(SCRATCH, FREE),
    published(FREE, BOUND, soft_weight=0.0),
    published(BOUND, BOUND) | {"export_tfjs": {"production_only": False}},
    regional("EU_SW", FOLDERS, polygons={"path": "data/regions.geojson", "name": "id"}),
    masking(
        {"method": "pad", "upscale": True}, FLIP, CROP, COLOR, {"_target_": "t.RandomApply", "transforms": [COLOR]}
    ),
    masking({"method": "crop", "upscale": False}, {"_target_": "t.Compose", "transforms": [FLIP, CROP]}, CROP),
    masking({"method": "bbox", "upscale": True}) | {"embed": {"backbone": {"mask_padding": True}}},
]


@pytest.mark.parametrize("params", AGREEING)
def test_what_agrees_or_is_absent_passes(params: dict[str, Any]):
    check_consistency(params, whole=True)


CONTRADICTIONS = [
    (
        {"export_tfjs": {"reference_photos_mb": 10, "max_bundle_mb": 10}},
        "export_tfjs.reference_photos_mb is 10; expected less than max_bundle_mb, 10",
    ),
    (
        masking({"method": "crop", "upscale": True}),
        "train_teacher.a.mask_padding is true, but resize.method crop with upscale true pads no photo; expected pad or "
        "bbox, or mask_padding: false",
    ),
    (
        {"resize": {"method": "squash", "upscale": True}, "embed": {"backbone": {"mask_padding": True}}},
        "embed.backbone.mask_padding is true, but resize.method squash",
    ),
    (masking({}, FLIP, TURN, COLOR), "train_teacher.a.transforms holds RandomRotation, after which nobody knows where"),
    (masking({}, transforms=[TURN]), "mine: distill_student.transforms holds RandomRotation"),
    (masking({}, COLOR, CROP), "train_teacher.a.transforms holds RandomResizedCrop"),
    (masking({}, {"_target_": "t.RandomApply", "transforms": [FLIP]}), "a.transforms holds RandomHorizontalFlip"),
    (
        masking({}, mask_padding=True),
        "distill_student.mask_padding is true, but an exported network is given the image alone and cannot know what "
        "of it is padding; expected false (teachers may mask)",
    ),
    (
        {"train_teacher": {"a": {"init_from": "c"}, "b": {}}},
        "train_teacher.a.init_from is 'c'; expected null or one of b",
    ),
    (
        {"train_teacher": {"a": {"init_from": ["b"]}, "b": {}}},
        "train_teacher.a.init_from is '['b']'; expected null or one of b",
    ),
    (
        {"train_teacher": {"a": {"init_from": "a"}}},
        "train_teacher.a.init_from leads back to it: a <- a; expected null",
    ),
    (
        {"train_teacher": {"a": {"init_from": "b"}, "b": {"init_from": "c"}, "c": {"init_from": "b"}}},
        "mine: train_teacher.b.init_from leads back to it: b <- c <- b; expected null; train_teacher.c.init_from",
    ),
    ({"train_teacher": {"None": {}}}, "train_teacher: a name is 'None', which stands for init_from null"),
    (
        {"train_teacher": {"a": BACKBONE, "b": BACKBONE | {"init_from": "a", "architecture": "resnet50"}}},
        "train_teacher.b.architecture is 'resnet50', but init_from 'a' has 'vit'; expected the same",
    ),
    (
        {"train_teacher": {"a": {}, "b": {"init_from": "a", "head_init": "linear_probe"}}},
        "train_teacher.b.head_init is linear_probe, but init_from brings the head of 'a'; expected none",
    ),
    (
        {"train_teacher": {"a": {"min_samples": {"order": 5}}}, "split": {"ranks": ["species", "genus"]}},
        "train_teacher.a.min_samples names order; expected ranks of split.ranks: species, genus",
    ),
    (
        {"distill_student": {"train_set": "small"}, "split": {"train_small": 0.0}},
        "distill_student.train_set is small, but split.train_small is 0; expected a share above 0, or all",
    ),
    (
        published(BOUND, SCRATCH),
        "distill_student.weights.licence is 'CC BY-NC 4.0', which does not allow any use, and "
        "export_tfjs.production_only is true; expected a licence such as MIT, other weights, or production_only: false",
    ),
    (published(SCRATCH, BOUND), "mine: train_teacher.a.weights.licence is 'CC BY-NC 4.0'"),
    (published({"from": "hub", "licence": None}, SCRATCH), "distill_student.weights.licence is None"),
    (
        {"split": {"ranks": ["species"]}, "train_teacher": {"a": {"rank_weights": {"species": 1, "genus": 1}}}},
        "train_teacher.a.rank_weights names species, genus; expected the ranks of split.ranks: species",
    ),
    (
        {"split": {"ranks": ["species", "genus"]}, "distill_student": {"rank_weights": {"species": 1}}},
        "distill_student.rank_weights names species; expected the ranks of split.ranks: species, genus",
    ),
    (
        {"train_teacher": {"a": {}}, "distill_student": {"teachers": {"a": 1, "b": 1}}},
        "distill_student.teachers names 'b'; expected teachers of train_teacher: a",
    ),
    ({"train_teacher": {"a; rm -rf x": {}}}, "train_teacher: a name is 'a; rm -rf x'; expected letters"),
    ({"train_teacher": {"..": {}}}, "train_teacher: a name is '..'; expected letters"),
    ({"train_teacher": {"-a": {}}}, "train_teacher: a name is '-a'; expected letters"),
    ({"fetch": {"sources": {"my photos": {}}}}, "fetch.sources: a name is 'my photos'; expected letters"),
    ({"fetch": {"sources": {"a": {"roots": ["x", "${env}"]}}}}, "fetch.sources.a.roots[1] holds '${' in '${env}'"),
    ({"split": {"taxonomy": {"columns": {"${x}": "y"}}}}, "split.taxonomy.columns holds '${' in '${x}'"),
    (
        {"fetch": {"sources": {"db": {"url": "postgresql://reader:hunter2@host/db"}}}},
        "fetch.sources.db.url holds a password, which Git, DVC and MLflow would keep; expected $NAME",
    ),
    (
        probing(weights={"from": "scratch"}),
        "train_teacher.a.head_init is linear_probe, but its weights are from scratch",
    ),
    (
        {"distill_student": BACKBONE | {"head_init": "linear_probe", "weights": {"from": "scratch"}}},
        "distill_student.head_init is linear_probe, but its weights are from scratch",
    ),
    (
        probing(image_size=96),
        "train_teacher.a.head_init is linear_probe, but train_teacher.a.image_size is 96 and embed.backbone.image_size "
        "224; expected the same",
    ),
    (
        {**probing(), "embed": {"backbone": BACKBONE, "outputs": "logits"}},
        "train_teacher.a.head_init is linear_probe, but embed.outputs is logits; expected prelogits",
    ),
    (
        regional("EU_SX", FOLDERS, countries={"EU": ["PT"]}, boxes={"ALPS": [0, 0, 1, 1]}),
        "train_teacher.a.region is 'EU_SX', which no source and no part of fetch.regions gives; expected one of ALPS",
    ),
    (regional("EU_SW", FOLDERS), "expected one of none"),
    (
        {"distill_student": {"soft_weight": 0.7, "cutmix": {"alpha": 1.0, "probability": 0.5}}},
        "distill_student.cutmix mixes photos, but the teachers' answers are kept for whole ones; expected null",
    ),
    (
        {"resize": {"format": "webp", "subsampling": "4:4:4"}},
        "resize.subsampling is 4:4:4, but resize.format webp knows 4:2:0 alone; expected that, or jpeg",
    ),
    (boxed({"label": "name"}, kind="observations"), "resize.method is bbox, but no source has boxes: mine"),
    (boxed(None, kind="folders"), "expected one of kind inat2017, or with columns.box"),
    (
        boxed({"box": "bbox", "width": "w"}, 512, kind="observations"),
        "fetch.sources.mine.columns names a box without the width and height of its picture; expected all three",
    ),
    ({"tfrecord": {"kind": "raw"}}, "tfrecord.kind is raw, which embed and training cannot read; expected image"),
    ({"tfrecord": {"compression": "gzip"}}, "tfrecord.compression is gzip, which embed and training cannot read"),
    (
        probing() | {"embed": {"backbone": BACKBONE, "grey": True}},
        "train_teacher.a.head_init is linear_probe, but embed.grey is true; expected false",
    ),
]


@pytest.mark.parametrize(("params", "message"), CONTRADICTIONS)
def test_what_contradicts_is_one_line(params: dict[str, Any], message: str):
    with pytest.raises(ParamsError) as caught:
        check_consistency(params, "mine", whole=True)
    assert str(caught.value).startswith("mine: ")
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_password_is_not_repeated():
    with pytest.raises(ParamsError) as caught:
        check_consistency({"fetch": {"sources": {"db": {"url": "postgresql://reader:hunter2@host/db"}}}})
    assert "hunter2" not in str(caught.value)


def test_every_rule_has_an_example():
    rules = RULES | WHOLE_RULES
    unbroken = {wanted for wanted, rule in rules.items() if not any(list(rule(params)) for params, _ in CONTRADICTIONS)}
    assert unbroken == set()


def test_all_contradictions_are_named_at_once():
    params = deepcopy(expand(load_overlay("sample")))
    set_values(params, ["split.ranks=[species]"])
    with pytest.raises(
        ParamsError, match=r"global\.rank_weights.*regional\.rank_weights.*distill_student\.rank_weights"
    ):
        check_consistency(params)


def test_a_stage_that_reads_other_photos_asks_for_no_region():
    check_consistency(regional("EU_SW", FOLDERS))
