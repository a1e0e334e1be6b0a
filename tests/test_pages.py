"""Other people's words stay words on every page."""

from pathlib import Path

import jinja2
import pytest
from markupsafe import Markup

from fieldguide.pages import page_environment


def render(folder: Path, **words: object) -> str:
    (folder / "page.html.j2").write_text("<p>{{ word }}</p>")
    return page_environment(folder).get_template("page.html.j2").render(**words)


@pytest.mark.parametrize(
    ("word", "shown"),
    [
        ("<script>alert(1)</script>", "&lt;script&gt;alert(1)&lt;/script&gt;"),
        ("\u202eAster\x00\u200b", r"\u202eAster\x00\u200b"),
        ('"\n', "&#34;\n"),
        (3, "3"),
        (Markup("<b>bold</b>"), "<b>bold</b>"),
    ],
)
def test_words_are_escaped_and_printable(word: object, shown: str, tmp_path: Path) -> None:
    assert render(tmp_path, word=word) == f"<p>{shown}</p>"


def test_a_missing_word_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(jinja2.UndefinedError):
        render(tmp_path)
