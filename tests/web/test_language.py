"""web/languages/: every text of the page, in every language, and none that nothing shows."""

import json
import re
from typing import Any

import pytest

from fieldguide.export.node import WEB

LANGUAGES = {file.stem: json.loads(file.read_text(encoding="utf-8")) for file in WEB.glob("languages/*.json")}
ENGLISH = LANGUAGES["en"]
SCRIPTS = "\n".join(file.read_text(encoding="utf-8") for file in WEB.glob("*.js"))
MARKUP = (WEB / "index.html").read_text(encoding="utf-8")
BUILT = ("rank.", "failure.", "occasion.from-")
"""Beginnings of keys that the scripts put together: by rank, by what failed, by where the place is from."""


def placeholders(entry: str | dict[str, str]) -> set[str]:
    forms = [entry] if isinstance(entry, str) else entry.values()
    return {name for form in forms for name in re.findall(r"\{(\w+)\}", form)}


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_language_has_every_text_with_the_same_values(language: str) -> None:
    texts: dict[str, Any] = LANGUAGES[language]
    assert list(texts) == list(ENGLISH)
    for key, entry in texts.items():
        assert placeholders(entry) == placeholders(ENGLISH[key]), key
        assert isinstance(entry, str) or "other" in entry, key


def test_what_is_shown_is_a_text_and_every_text_is_shown() -> None:
    named = set(re.findall(r"'([a-z]+\.[a-z-]+)'", SCRIPTS)) | set(re.findall(r'data-say[a-z-]*="([^"]+)"', MARKUP))
    asked = set(re.findall(r"say\('([^']+)'", SCRIPTS)) | set(re.findall(r'data-say[a-z-]*="([^"]+)"', MARKUP))
    assert asked <= set(ENGLISH)
    assert {key for key in ENGLISH if not key.startswith(BUILT)} <= named


def test_the_markup_says_what_the_english_texts_say() -> None:
    shown = re.findall(r'data-say="([^"]+)"[^>]*>([^<]+)<', MARKUP)
    assert len(shown) == len(re.findall(r'data-say="', MARKUP))
    for key, text in shown:
        assert text == ENGLISH[key], key
