"""The one way in which pages are made: other people's words are text there, never markup, and do not act on it."""

from pathlib import Path
from typing import Any

import jinja2

from fieldguide.text import printable


def page_environment(templates: Path) -> jinja2.Environment:
    """For HTML from the templates in a folder. What is put in is escaped and printable, what is missing an error."""
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(templates),
        autoescape=True,
        finalize=_finalize,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _finalize(value: Any) -> Any:
    # Markup is a str, too, but was escaped already.
    return printable(value, keep="\n\t") if type(value) is str else value
