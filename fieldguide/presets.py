"""Presets: presets/base.yaml holds every parameter once, an overlay what differs, and params.yaml is both in full.

    params = expand(load_overlay("plants"))
    set_values(params, ["train_teacher.global.epochs=3"])
    write_params(params, Path("params.yaml"))

How an overlay changes base: mappings are merged key by key, and only keys that base has may stand in one; any other
value, a list too, takes the place of base's. Where base says `{}` the keys are the user's, and such a mapping is
replaced whole. Entries that are alike start from base's `templates`, which an overlay may change too:

    fetch.sources.NAME   templates.sources.KIND; its `columns` and `fill` from the templates of that name
    embed.backbone       templates.backbone
    train_teacher.NAME   templates.backbone, then .training, then .teacher
    distill_student      templates.backbone, then .training, then .student
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import OverrideType
from hydra.errors import HydraException
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap
from ruamel.yaml.representer import RoundTripRepresenter

from fieldguide.commented import heading, merge, read_commented, remove_comments, take
from fieldguide.errors import ParamsError
from fieldguide.files import written_whole

PRESETS = Path(__file__).parent.parent / "presets"
BASE = PRESETS / "base.yaml"
LINE_LENGTH = 120
SEXAGESIMAL = re.compile(r"[0-9]+(:[0-5]?[0-9])+")
HEADING = "Written by a command: presets/base.yaml, changed by an overlay, in full. Edit it as you like."


def preset_names() -> list[str]:
    """The overlays in presets/."""
    return sorted(file.stem for file in PRESETS.glob("*.yaml") if file != BASE)


def load_overlay(name: str | Path) -> CommentedMap:
    """An overlay by its name in presets/, or by the path of a .yaml file.

    Raises ParamsError if there is none, or if it is not a mapping in YAML.
    """
    file = Path(name)
    if file.suffix not in (".yaml", ".yml"):
        if str(name) not in preset_names():
            raise ParamsError(
                f"preset '{name}' is unknown; expected one of {', '.join(preset_names())}, or a .yaml file"
            )
        file = PRESETS / f"{name}.yaml"
    return read_commented(file)


def expand(overlay: Mapping[str, Any], base: Path = BASE) -> CommentedMap:
    """Base changed by `overlay`: what a params.yaml holds, every section in full, with base's comments.

    Of entries that start from one template the first keeps the comments. Raises ParamsError naming a key that base
    lacks, and what is allowed.
    """
    whole = read_commented(base)
    templates = Templates(whole.pop("templates"), overlay.get("templates", {}))
    params = merge(whole, "", {key: value for key, value in overlay.items() if key != "templates"})
    sources, teachers, explained = params["fetch"]["sources"], params["train_teacher"], set[str]()
    for name, given in sources.items():
        sources[name] = source = templates.grow_source(f"fetch.sources.{name}", given)
        if source["kind"] in explained:
            remove_comments(source)
        explained.add(source["kind"])
    params["embed"]["backbone"] = templates.grow("embed.backbone", ["backbone"], params["embed"]["backbone"])
    for number, (name, given) in enumerate(teachers.items()):
        teachers[name] = templates.grow(f"train_teacher.{name}", ["backbone", "training", "teacher"], given)
        if number:
            remove_comments(teachers[name])
    student = templates.grow("distill_student", ["backbone", "training", "student"], params["distill_student"])
    params["distill_student"] = student
    for key in (*templates.base["backbone"], *templates.base["training"]):
        student.ca.items.pop(key, None)
    for section in list(params)[1:]:
        params.yaml_set_comment_before_after_key(section, before="\n")
    params.yaml_set_start_comment(f"{heading(overlay)}{HEADING}\n\n")
    return params


@dataclass(frozen=True)
class Templates:
    """What entries that are alike start from."""

    base: CommentedMap
    changes: Mapping[str, Any]
    """Those of the overlay."""

    def __post_init__(self) -> None:
        merge(self.base, "templates", self.changes)  # Refuses what base lacks.

    def grow(self, where: str, names: Sequence[str], *layers: Any) -> CommentedMap:
        """An entry from the templates called `names`, the later ones over the earlier, and then by `layers`."""
        *general, own = (self.base[name] for name in names)
        inherited = {key for template in general for key in template}
        shape = CommentedMap()
        take(shape, own, [key for key in own if key not in inherited])
        for template in general:
            take(shape, template, template)
        steps = [step for name in names for step in (self.base[name], self.changes.get(name, {}))]
        return merge(shape, where, *steps, *layers)

    def grow_source(self, where: str, given: Any) -> CommentedMap:
        """A source from the template of its kind. Raises ParamsError if it names none."""
        kind = given.get("kind") if isinstance(given, Mapping) else None
        kinds = self.base["sources"]
        if kind not in kinds:
            raise ParamsError(f"{where}.kind is {kind!r}; expected one of {', '.join(kinds)}")
        layers = [self.changes.get("sources", {}).get(kind, {}), {key: given[key] for key in given if key != "kind"}]
        source = merge(kinds[kind], where, *layers)
        for name in {"columns", "fill"} & source.keys():
            source[name] = self.grow(f"{where}.{name}", [name], *(layer.get(name, {}) for layer in layers))
        source.insert(0, "kind", kind)
        return source


class _Representer(RoundTripRepresenter):
    """Puts texts in quotes that programs which read YAML 1.1 would take for numbers to the base of 60: 4:2:0."""

    def represent_str(self, data: str) -> Any:
        style = '"' if SEXAGESIMAL.fullmatch(data) else None
        return self.represent_scalar("tag:yaml.org,2002:str", data, style=style)


_Representer.add_representer(str, _Representer.represent_str)


def write_params(params: Mapping[str, Any], path: Path) -> None:
    """Write `params` in full, whole or not at all, without anchors; equal params give equal bytes."""
    yaml = YAML()
    yaml.Representer = _Representer
    yaml.width = LINE_LENGTH
    yaml.representer.ignore_aliases = lambda *_: True
    with written_whole(path) as temporary, temporary.open("w", encoding="utf-8") as stream:
        yaml.dump(params, stream)


def set_values(params: dict[str, Any], overrides: Sequence[str]) -> None:
    """Set `train_teacher.global.epochs=3` and the like, as `dvc exp run -S` does: in Hydra's grammar, mappings merged.

    Raises ParamsError if one is not KEY=VALUE, or if `params` has no such key.
    """
    parser = OverridesParser.create()
    for text in overrides:
        try:
            override = parser.parse_override(text)
        except HydraException as error:
            raise ParamsError(f"--set {text}: {str(error).splitlines()[0]}; expected KEY=VALUE") from None
        if override.type is not OverrideType.CHANGE or override.is_sweep_override():
            raise ParamsError(f"--set {text}: expected KEY=VALUE with one value; a comma stands between quotes or [ ]")
        *parents, last = override.key_or_group.split(".")
        content: Any = params
        for part in parents:
            content = content[_index(content, part, text)]
        _set(content, last, override.value(), text)


def _set(content: Any, part: str, value: Any, text: str) -> None:
    key = _index(content, part, text)
    if isinstance(content[key], dict) and isinstance(value, dict):
        for inner, other in value.items():
            _set(content[key], str(inner), other, text)
    else:
        content[key] = value


def _index(content: Any, part: str, text: str) -> str | int:
    """`part` as a key or an index of `content`. Raises ParamsError if it is none."""
    if isinstance(content, dict) and part in content:
        return part
    if isinstance(content, list) and part.isdecimal() and int(part) < len(content):
        return int(part)
    known = (
        ", ".join(map(str, content))
        if isinstance(content, dict)
        else "a number"
        if isinstance(content, list)
        else "none"
    )
    raise ParamsError(f"--set {text}: key '{part}' is unknown; expected one of {known}")
