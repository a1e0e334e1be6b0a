"""export/page.py and the `page` section: a guide of one's own, safely written into the page."""

import json
import re
import shutil
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from fieldguide.errors import ExportError
from fieldguide.export.accent import SURROUNDINGS, contrast
from fieldguide.export.node import WEB
from fieldguide.export.page import personalise_page, start_downloads_early
from fieldguide.export.params import PageParams

FILES = ("index.html", "manifest.webmanifest", "style.css")
PLAIN: dict[str, Any] = {"title": None, "introduction": None, "accent": None, "links": []}
OWN: dict[str, Any] = {
    "title": 'Moths & "more" <b>',
    "introduction": "Of the <Danube> & its meadows.",
    "accent": {"light": "#1c4f82", "dark": "#8fc1f0"},
    "links": [{"text": "About <us>", "url": "https://example.org/?a=1&b=2"}],
}


class Texts(HTMLParser):
    """The text of every element by its tag, and the addresses of links."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.texts: list[tuple[str, str]] = []
        self.links: list[str | None] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.open.append(tag)
        if tag == "a":
            self.links += [value for name, value in attrs if name == "href"]

    def handle_data(self, data: str) -> None:
        self.texts.append((self.open[-1] if self.open else "", data))


@pytest.fixture
def page(tmp_path: Path) -> Path:
    for name in FILES:
        shutil.copyfile(WEB / name, tmp_path / name)
    return tmp_path


def test_nothing_given_leaves_the_page_as_it_is(page: Path) -> None:
    personalise_page(page, PageParams.model_validate(PLAIN))
    assert all((page / name).read_bytes() == (WEB / name).read_bytes() for name in FILES)


def test_what_is_given_is_shown_as_text_and_the_same_in_every_build(page: Path) -> None:
    personalise_page(page, PageParams.model_validate(OWN))
    read = Texts()
    read.feed((page / "index.html").read_text(encoding="utf-8"))
    assert {("title", OWN["title"]), ("h1", OWN["title"]), ("p", OWN["introduction"])} <= set(read.texts)
    assert ("a", "About <us>") in read.texts
    assert OWN["links"][0]["url"] in read.links
    assert "page.title" not in (page / "index.html").read_text()
    manifest = json.loads((page / "manifest.webmanifest").read_text(encoding="utf-8"))
    before = json.loads((WEB / "manifest.webmanifest").read_text())
    own = {"name": OWN["title"], "short_name": OWN["title"], "theme_color": "#1c4f82"}
    assert manifest == before | own
    style = (page / "style.css").read_text()
    assert re.findall(r"--leaf: (#\w+)", style)[-2:] == ["#1c4f82", "#8fc1f0"]
    written = {name: (page / name).read_bytes() for name in FILES}
    for name in FILES:
        shutil.copyfile(WEB / name, page / name)
    personalise_page(page, PageParams.model_validate(OWN))
    assert {name: (page / name).read_bytes() for name in FILES} == written


REFUSED = {
    "a pale colour on paper": (
        {"accent": {"light": "#93c188", "dark": "#93c188"}},
        "light #93c188 has a contrast of 1.8",
    ),
    "a dark colour on black": ({"accent": {"light": "#2f5d3a", "dark": "#2f5d3a"}}, "dark #2f5d3a has a contrast of"),
    "a colour by name": ({"accent": {"light": "green", "dark": "#93c188"}}, "should match pattern"),
    "code for the style sheet": ({"accent": {"light": "#000; } * {", "dark": "#93c188"}}, "should match pattern"),
    "http": ({"links": [{"text": "a", "url": "http://a.org"}]}, "no https address"),
    "a script": ({"links": [{"text": "a", "url": "javascript:alert(1)"}]}, "no https address"),
    "no host": ({"links": [{"text": "a", "url": "https:///a"}]}, "no https address"),
    "an empty title": ({"title": ""}, "at least 1 character"),
    "a title of two lines": ({"title": "a\nb"}, "should match pattern"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_shown_is_refused(case: str) -> None:
    given, message = REFUSED[case]
    with pytest.raises(ValidationError, match=re.escape(message)):
        PageParams.model_validate(PLAIN | given)


def test_the_surroundings_are_those_of_the_style_sheet() -> None:
    light, dark = (WEB / "base.css").read_text().split("@media (prefers-color-scheme: dark)")[:2]
    for scheme, block in (("light", light), ("dark", dark)):
        colours = dict(re.findall(r"--([a-z-]+): (#\w{6});", block))
        assert {name: colours[name] for name in SURROUNDINGS[scheme]} == dict(SURROUNDINGS[scheme])


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [("#000000", "#ffffff", 21.0), ("#777777", "#ffffff", 4.48), ("#123456", "#123456", 1)],
)
def test_contrast_is_that_of_wcag(one: str, other: str, expected: float) -> None:
    assert contrast(one, other) == contrast(other, one) == pytest.approx(expected, abs=0.005)


def test_the_first_answers_files_are_asked_for_by_the_page_itself(page: Path) -> None:
    with pytest.raises(ExportError, match=r"holds no labels\.json"):
        start_downloads_early(page)
    large = ("group1-shard1of1.bin.gzip", "worker.js", "tfjs-backend-wasm-simd.wasm.gzip")
    rest = (*large, "model.json", "preprocessing.json", "calibration.json", "selftest.json", "prior.bin.gzip")
    for name in ("labels.json", "species.json", *rest):
        (page / name).touch()
    start_downloads_early(page)
    link = r'<link rel="preload" as="fetch" crossorigin fetchpriority="(.*)" href="(.*)" />'
    assert re.findall(link, (page / "index.html").read_text()) == [
        ("high", "bundle.json"),
        ("high", "labels.json"),
        *(("low", name) for name in rest),
    ]
