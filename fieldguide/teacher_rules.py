"""What must hold between teachers, and between the weights that networks start from and what is made of them."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from fieldguide.catalogue.licences import allows_any_use, normalise_licence
from fieldguide.lookup import Params, get, listed, mapping, teachers

NO_TEACHER = "None"
"""What DVC makes of `init_from: null` in a path: metrics/train-teacher-None.json lies in Git for those without it."""
TAKEN_OVER = ("architecture", "mean", "std")
"""What weights fit to; another image size gets its position embeddings resampled."""


def start_from_teachers_there_are(params: Params) -> Iterator[str]:
    """A teacher starts from another one, which does not start from it."""
    known = teachers(params)
    for name in known:
        if name == NO_TEACHER:
            yield f"train_teacher: a name is '{NO_TEACHER}', which stands for init_from null; expected another one"
        way = [name]
        while (start := _start(known, way[-1])) is not None:
            if start not in known:
                if len(way) == 1:
                    others = listed(other for other in known if other != name)
                    yield f"train_teacher.{name}.init_from is '{start}'; expected null or one of {others or 'none'}"
                break
            if start in way:
                # Of a ring only the teachers on it tell, and each tells of its own place.
                if start == name:
                    ring = " <- ".join([*way, start])
                    yield f"train_teacher.{name}.init_from leads back to it: {ring}; expected null"
                break
            way.append(start)


def take_over_what_fits(params: Params) -> Iterator[str]:
    """Weights go from a teacher to one of the same architecture, whose head is not fitted anew."""
    known = teachers(params)
    for name, teacher in known.items():
        start = _start(known, name)
        if start is None:
            continue
        if teacher.get("head_init") not in (None, "none"):
            yield (
                f"train_teacher.{name}.head_init is {teacher['head_init']}, but init_from brings the head of "
                f"'{start}'; expected none"
            )
        other = known.get(start, {})
        for key in TAKEN_OVER:
            if key in teacher and key in other and teacher[key] != other[key]:
                yield (
                    f"train_teacher.{name}.{key} is {teacher[key]!r}, but init_from '{start}' has {other[key]!r}; "
                    "expected the same"
                )


def drop_classes_of_ranks_there_are(params: Params) -> Iterator[str]:
    """`min_samples` of a teacher names ranks of the split."""
    ranks = get(params, "split", "ranks")
    for name, teacher in teachers(params).items():
        unknown = [rank for rank in mapping(teacher, "min_samples") if isinstance(ranks, list) and rank not in ranks]
        if unknown:
            allowed = f"expected ranks of split.ranks: {listed(ranks)}"
            yield f"train_teacher.{name}.min_samples names {listed(unknown)}; {allowed}"


def mark_a_small_set(params: Params) -> Iterator[str]:
    """Who learns from the small set has one."""
    if get(params, "split", "train_small") != 0:
        return
    sections = {f"train_teacher.{name}": teacher for name, teacher in teachers(params).items()}
    for name, network in (sections | {"distill_student": mapping(params, "distill_student")}).items():
        if network.get("train_set") == "small":
            yield f"{name}.train_set is small, but split.train_small is 0; expected a share above 0, or all"


def publish_only_what_may_be_used(params: Params) -> Iterator[str]:
    """A bundle for production holds nothing of weights that are not free for any use."""
    if get(params, "export_tfjs", "production_only") is not True:
        return
    for key, weights in _published(params).items():
        licence = weights.get("licence")
        if weights.get("from") in ("file", "hub") and not allows_any_use(normalise_licence(licence)):
            yield (
                f"{key}.licence is {licence!r}, which does not allow any use, and export_tfjs.production_only is true; "
                "expected a licence such as MIT, other weights, or production_only: false"
            )


def _published(params: Params) -> dict[str, Mapping[str, Any]]:
    """The weights that the student comes from by their keys: its own, and those of the teachers that it hears."""
    student, known = mapping(params, "distill_student"), teachers(params)
    found = {"distill_student.weights": mapping(student, "weights")}
    for name, weight in mapping(student, "teachers").items():
        if weight and student.get("soft_weight"):
            first = _first(known, name)
            found[f"train_teacher.{first}.weights"] = mapping(known, first, "weights")
    return found


def _first(known: Mapping[str, Any], name: str) -> str:
    """The teacher with weights of its own at the beginning of the way to `name`; of a ring any."""
    way = [name]
    while (start := _start(known, way[-1])) in known and start not in way:
        way.append(str(start))
    return way[-1]


def _start(known: Mapping[str, Any], name: str) -> str | None:
    start = get(known, name, "init_from")
    return None if start is None else str(start)


TEACHER_RULES: dict[str, Callable[[Params], Iterator[str]]] = {
    "a teacher starts from one there is": start_from_teachers_there_are,
    "weights go to the same architecture": take_over_what_fits,
    "classes are dropped at ranks of the split": drop_classes_of_ranks_there_are,
    "a small set that is learnt from is marked": mark_a_small_set,
    "a bundle for production comes from free weights": publish_only_what_may_be_used,
}
