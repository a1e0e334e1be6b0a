"""The tables below are the specification of what a name keeps, and of what a screen is shown."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fieldguide.text import printable, tidy


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Aster alpinus", "Aster alpinus"),
        ("  Aster \t\n alpinus ", "Aster alpinus"),
        ("Aster\u00a0alpinus", "Aster alpinus"),
        ("Aster\u200balpinus\u200b", "Aster alpinus"),
        ("\ufeffAster\u2009\u2060alpinus\u00ad", "Aster alpinus"),
        (unicodedata.normalize("NFD", "Isoëtes"), "Isoëtes"),
        ("Iso\u034fe\u200d\u0308tes", "Isoëtes"),
        ("\x1b[31mAster\x1b[0m alpinus\x07", "Aster alpinus"),
        ("\x1b]0;title\x07Aster\x00", "Aster"),
        ("\u202eretsA\u202c", "retsA"),
        ("\u3164", ""),
        ("\x1b[2J", ""),
        ("雛菊 🌼", "雛菊 🌼"),
    ],
)
def test_names_keep_what_people_see(text: str, name: str) -> None:
    assert tidy(text) == name


@given(st.text())
def test_tidy_is_done_after_once(text: str) -> None:
    once = tidy(text)
    assert tidy(once) == once
    assert not any(unicodedata.category(character) in ("Cc", "Cf") for character in once)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Aster × frikartii", "Aster × frikartii"),
        ("a\u00a0b", "a\u00a0b"),
        ("\x1b[31mred", r"\x1b[31mred"),
        ("a\x00b\nc", r"a\x00b\nc"),
        ("\u202eabc", r"\u202eabc"),
        ("a\u200bb\ufe0f", r"a\u200bb\ufe0f"),
        ("\udcff", r"\udcff"),
    ],
)
def test_what_acts_on_a_screen_is_written_out(text: str, shown: str) -> None:
    assert printable(text) == shown


def test_lines_may_be_kept() -> None:
    assert printable("a\nb\tc\r", keep="\n\t") == "a\nb\tc\\r"


@given(st.text())
def test_all_that_is_shown_can_be_printed(text: str) -> None:
    printable(text).encode()
