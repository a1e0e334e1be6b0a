"""Prints what parameters mean: each key of params.yaml, what it may hold, its unit and meaning.

python -m fieldguide params                     all of them
python -m fieldguide params split               one section
python -m fieldguide params train_teacher.epochs  one key; names of your own may be left out
"""

import argparse
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fieldguide.errors import ParamsError
from fieldguide.sections import BY_NAME, SECTIONS

LINE_LENGTH = 120
NAME = "NAME"
"""Stands for a name of the user's choice."""

Schema = Mapping[str, Any]


@dataclass(frozen=True)
class Parameter:
    """One key of params.yaml."""

    key: tuple[str, ...]
    """`train_teacher`, `NAME`, `epochs`."""
    allowed: str
    """`integer above 0`; empty for a mapping of further keys."""
    meaning: str


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What to print."""
    parser.add_argument("key", nargs="?", default="", metavar="SECTION[.KEY]", help=f"of {', '.join(SECTIONS)}")


def run(arguments: argparse.Namespace) -> None:
    """Print the parameters that are asked for."""
    for parameter in find_parameters(arguments.key):
        print(f"{'.'.join(parameter.key)}{':' if parameter.allowed else ''} {parameter.allowed}".rstrip())
        print(textwrap.indent(textwrap.fill(parameter.meaning, LINE_LENGTH - 4), "    "))


def find_parameters(asked: str = "") -> list[Parameter]:
    """Every parameter at or below a dotted key, all if it is empty. Raises ParamsError if there is none."""
    parts = asked.split(".") if asked else []
    section = parts[0] if parts else None
    if section and section not in SECTIONS:
        raise ParamsError(f"section '{section}' is unknown; expected one of {', '.join(SECTIONS)}")
    found = [parameter for name in SECTIONS if section in (None, name) for parameter in list_parameters(name)]
    below = [
        parameter for parameter in found if _begins([part for part in _bare(parameter.key) if part != NAME], parts)
    ]
    below = below or [parameter for parameter in found if _begins(_bare(parameter.key), parts)]
    if not below:
        known = ", ".join(".".join(parameter.key) for parameter in found)
        raise ParamsError(f"key '{asked}' is unknown; expected one of {known}")
    return below


def _bare(key: Sequence[str]) -> list[str]:
    """`key` without what tells models apart: `sources`, `NAME`, `url` of `NAME (kind: sql)`."""
    return [part.partition(" (")[0] for part in key]


def _begins(key: Sequence[str], asked: Sequence[str]) -> bool:
    """Whether `key` begins with the parts asked for; NAME is any of them."""
    return len(key) >= len(asked) and all(part in (NAME, wanted) for part, wanted in zip(key, asked, strict=False))


def list_parameters(section: str) -> Iterator[Parameter]:
    """Every key of a section with all that lies in it, from the JSON schema of its model."""
    schema = SECTIONS[section].model_json_schema()
    key = (section, NAME) if section in BY_NAME else (section,)
    yield from _walk(schema, key, schema.get("$defs", {}))


def _walk(schema: Schema, key: tuple[str, ...], models: Schema) -> Iterator[Parameter]:
    for name, field in schema["properties"].items():
        if "const" in field:  # What tells this model from the others stands in the key.
            continue
        where = (*key, name)
        yield Parameter(where, describe_type(field, models), " ".join(field.get("description", "").split()))
        yield from _walk_inside(field, where, models)


def _walk_inside(field: Schema, key: tuple[str, ...], models: Schema) -> Iterator[Parameter]:
    """The parameters of the models that a field may hold."""
    if "discriminator" in field:
        chosen = field["discriminator"]["propertyName"]
        for value, reference in field["discriminator"]["mapping"].items():
            model = _model(reference, models)
            yield from _walk(model, (*key[:-1], f"{key[-1]} ({chosen}: {value})"), models)
    for option in (field, *field.get("anyOf", ())):
        if "$ref" in option and "properties" in (model := _model(option["$ref"], models)):
            yield from _walk(model, key, models)
    if isinstance(inner := field.get("additionalProperties"), dict):
        yield from _walk_inside(inner, (*key, NAME), models)


def _model(reference: str, models: Schema) -> Schema:
    model: Schema = models[reference.rpartition("/")[2]]
    return model


def describe_type(field: Schema, models: Schema) -> str:
    """`integer above 0`, `pad | crop | squash`, `list of text`; empty for a mapping whose keys are listed too."""
    if "$ref" in field:
        return describe_type(_model(field["$ref"], models), models)
    if "anyOf" in field:
        return " | ".join(filter(None, (describe_type(option, models) for option in field["anyOf"])))
    if "discriminator" in field:
        return f"{field['discriminator']['propertyName']}: {' | '.join(field['discriminator']['mapping'])}"
    if "enum" in field or "const" in field:
        return " | ".join(map(str, field.get("enum", [field.get("const")])))
    kind = field.get("type")
    if kind == "array":
        return _describe_list(field, models)
    if kind == "object":
        return "" if "properties" in field else _describe_mapping(field, models)
    return {"string": field.get("format", "text"), "boolean": "true | false"}.get(str(kind), f"{kind}{_limits(field)}")


def _describe_list(field: Schema, models: Schema) -> str:
    if "prefixItems" in field:
        kinds = [describe_type(item, models) for item in field["prefixItems"]]
        alike = len(set(kinds)) == 1
        return f"[{len(kinds)} x {kinds[0]}]" if alike else f"[{', '.join(kinds)}]"
    item = describe_type(field.get("items", {}), models)
    return f"list of {f'({item})' if '|' in item else item}"


def _describe_mapping(field: Schema, models: Schema) -> str:
    inner = field.get("additionalProperties")
    keys = describe_type(field["propertyNames"], models) if "propertyNames" in field else "names"
    values = describe_type(inner, models) if isinstance(inner, dict) else ""
    return f"mapping of {keys} to {values}" if values else "mapping"


def _limits(field: Schema) -> str:
    words = {"minimum": "at least", "exclusiveMinimum": "above", "maximum": "at most", "exclusiveMaximum": "below"}
    limits = " and ".join(f"{word} {field[name]}" for name, word in words.items() if name in field)
    return f" {limits}" if limits else ""
