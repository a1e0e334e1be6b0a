"""What must hold between sections of params.yaml. A stage sees its own section alone, so this is checked before each.

Rules look at plain data, of which any part may be absent: a file that holds one section is checked as far as it goes.
That each section is well-formed is said by its model.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from fieldguide.errors import ParamsError
from fieldguide.lookup import Params, get, listed, mapping, networks
from fieldguide.padding_rules import PADDING_RULES
from fieldguide.teacher_rules import TEACHER_RULES

PLAIN_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
"""Names reach a shell through dvc.yaml, and name folders."""
LITERAL_PASSWORD = re.compile(r"://[^\s:/@]*:(?!\$)[^\s/@]+@")
STUDENT = "distill_student"
BACKBONE = ("architecture", "architecture_args", "image_size", "mean", "std", "mask_padding", "weights")


def check_consistency(params: Params, where: str = "params.yaml", *, whole: bool = False) -> None:
    """Refuse parameters that contradict each other, with `whole` also those that only training would stumble over.

    Raises ParamsError, one line that says what and where.
    """
    rules = RULES | WHOLE_RULES if whole else RULES
    problems = [problem for rule in rules.values() for problem in rule(params)]
    if problems:
        raise ParamsError(f"{where}: {'; '.join(problems)}")


def _weigh_the_ranks(params: Params) -> Iterator[str]:
    ranks = get(params, "split", "ranks")
    for name, network in networks(params):
        weights = get(network, "rank_weights")
        if isinstance(ranks, list) and isinstance(weights, Mapping) and set(weights) != set(ranks):
            yield f"{name}.rank_weights names {listed(weights)}; expected the ranks of split.ranks: {listed(ranks)}"


def _listen_to_teachers_there_are(params: Params) -> Iterator[str]:
    teachers, known = get(params, "distill_student", "teachers"), get(params, "train_teacher")
    if isinstance(teachers, Mapping) and isinstance(known, Mapping):
        for name in teachers:
            if name not in known:
                yield f"distill_student.teachers names '{name}'; expected teachers of train_teacher: {listed(known)}"


def _have_plain_names(params: Params) -> Iterator[str]:
    for section in (("train_teacher",), ("fetch", "sources")):
        for name in mapping(params, *section):
            if not PLAIN_NAME.fullmatch(str(name)):
                allowed = "letters, digits and . _ -, the first a letter or a digit"
                yield f"{'.'.join(section)}: a name is {str(name)!r}; expected {allowed}"


def _hold_no_templates(params: Params) -> Iterator[str]:
    for key, text in _texts(params):
        if "${" in text:
            yield f"{key} holds '${{' in {text!r}; expected a value in full, or $NAME for one of the environment"


def _hold_no_passwords(params: Params) -> Iterator[str]:
    for key, text in _texts(params):
        if LITERAL_PASSWORD.search(text):
            yield f"{key} holds a password, which Git, DVC and MLflow would keep; expected $NAME, from the environment"


def _probe_what_is_embedded(params: Params) -> Iterator[str]:
    embedded = get(params, "embed", "backbone")
    for name, network in networks(params):
        if get(network, "head_init") != "linear_probe":
            continue
        if get(network, "weights", "from") == "scratch":
            yield f"{name}.head_init is linear_probe, but its weights are from scratch; expected file or hub"
        if name == STUDENT or not isinstance(embedded, Mapping):
            continue  # a student embeds the photos itself
        if get(params, "embed", "outputs") == "logits":
            yield f"{name}.head_init is linear_probe, but embed.outputs is logits; expected prelogits"
        if get(params, "embed", "grey"):
            yield f"{name}.head_init is linear_probe, but embed.grey is true; expected false, as training shows colour"
        for key in BACKBONE:
            if network.get(key) != embedded.get(key):
                yield (
                    f"{name}.head_init is linear_probe, but {name}.{key} is {network.get(key)!r} and "
                    f"embed.backbone.{key} {embedded.get(key)!r}; expected the same"
                )


def _mix_where_nobody_is_asked_about_whole_photos(params: Params) -> Iterator[str]:
    for key in ("mixup", "cutmix"):
        if get(params, "distill_student", key) and get(params, "distill_student", "soft_weight"):
            yield (
                f"distill_student.{key} mixes photos, but the teachers' answers are kept for whole ones; "
                "expected null, or soft_weight 0"
            )


def _train_on_images_with_an_index(params: Params) -> Iterator[str]:
    for key, wanted in (("kind", "image"), ("compression", "none")):
        if (found := get(params, "tfrecord", key)) not in (None, wanted):
            yield f"tfrecord.{key} is {found}, which embed and training cannot read; expected {wanted}"


def _teach_regions_there_are(params: Params) -> Iterator[str]:
    sources = list(mapping(params, "fetch", "sources").values())
    if not sources or get(params, "fetch", "regions", "polygons") is not None:
        return
    if any(map(_names_regions_itself, sources)):
        return
    known = {*mapping(params, "fetch", "regions", "boxes"), *mapping(params, "fetch", "regions", "countries")}
    known |= {region for source in sources if (region := get(source, "fill", "region"))}
    for name, teacher in mapping(params, "train_teacher").items():
        if (region := get(teacher, "region")) is not None and region not in known:
            yield (
                f"train_teacher.{name}.region is {region!r}, which no source and no part of fetch.regions gives; "
                f"expected one of {listed(sorted(known)) or 'none'}"
            )


def _names_regions_itself(source: Any) -> bool:
    """Whether photos of a source may have regions that no parameter lists."""
    in_path = "(?P<region>" in str(get(source, "pattern"))
    return in_path or bool(get(source, "columns", "region") or get(source, "region"))


def _encode_as_the_format_can(params: Params) -> Iterator[str]:
    image_format, subsampling = get(params, "resize", "format"), get(params, "resize", "subsampling")
    if image_format == "webp" and subsampling not in (None, "4:2:0"):
        yield f"resize.subsampling is {subsampling}, but resize.format webp knows 4:2:0 alone; expected that, or jpeg"


def _cut_to_boxes_there_are(params: Params) -> Iterator[str]:
    sources = mapping(params, "fetch", "sources")
    if get(params, "resize", "method") != "bbox" or not sources:
        return
    boxed = {name: source for name, source in sources.items() if _draws_boxes(source)}
    if not boxed:
        yield (
            f"resize.method is bbox, but no source has boxes: {listed(sources)}; expected one of kind inat2017, or "
            "with columns.box"
        )
    for name, source in boxed.items():
        columns = mapping(source, "columns")
        if get(params, "fetch", "max_side") and columns and not (columns.get("width") and columns.get("height")):
            yield (
                f"fetch.max_side shrinks photos, and fetch.sources.{name}.columns names a box without the width and "
                "height of its picture; expected all three, or max_side null"
            )


def _draws_boxes(source: Any) -> bool:
    return get(source, "kind") == "inat2017" or bool(get(source, "columns", "box"))


def _leave_room_beside_reference_photos(params: Params) -> Iterator[str]:
    photos, most = (get(params, "export_tfjs", key) for key in ("reference_photos_mb", "max_bundle_mb"))
    if isinstance(photos, int | float) and isinstance(most, int | float) and photos >= most:
        yield f"export_tfjs.reference_photos_mb is {photos:g}; expected less than max_bundle_mb, {most:g}"


RULES: dict[str, Callable[[Params], Iterator[str]]] = {
    "losses weigh the ranks of the split": _weigh_the_ranks,
    "the student's teachers are trained": _listen_to_teachers_there_are,
    "names are plain": _have_plain_names,
    "no text holds a template": _hold_no_templates,
    "no text holds a password": _hold_no_passwords,
    "a linear probe is of the embedded backbone": _probe_what_is_embedded,
    "a student's photos are mixed without teachers alone": _mix_where_nobody_is_asked_about_whole_photos,
    "squares are encoded as their format can": _encode_as_the_format_can,
    "photos are cut to boxes that sources draw": _cut_to_boxes_there_are,
    "a bundle has room for more than its reference photos": _leave_room_beside_reference_photos,
    **TEACHER_RULES,
    **PADDING_RULES,
}
"""What a rule wants, and the function that yields what is against it."""

WHOLE_RULES: dict[str, Callable[[Params], Iterator[str]]] = {
    "a teacher's region is known": _teach_regions_there_are,
    "training reads images one by one": _train_on_images_with_an_index,
}
"""Asked before a pipeline starts, not of a stage, which may look at other photos than the teachers, or be the last."""


def _texts(content: Any, key: str = "") -> Iterator[tuple[str, str]]:
    """Every text with its key, the keys that are the user's among them."""
    if isinstance(content, str):
        yield key, content
    elif isinstance(content, Mapping):
        for name, value in content.items():
            yield from _texts(str(name), key)
            yield from _texts(value, f"{key}.{name}" if key else str(name))
    elif isinstance(content, list):
        for number, value in enumerate(content):
            yield from _texts(value, f"{key}[{number}]")
