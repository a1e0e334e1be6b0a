"""The page needs nothing but itself and shows what it was given, as text."""

import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np

from fieldguide.evaluate.answers import Answers
from fieldguide.evaluate.decision import score_decision, score_lists
from fieldguide.evaluate.report import ModelPage, draw_figures, show_mistakes, write_report
from fieldguide.evaluate.rules import Rule
from fieldguide.evaluate.scores import ScoreRules, count_photos, name_frequencies, score, score_calibration
from fieldguide.records.reader import RecordSet
from fieldguide.split.params import FrequencyParams
from tests.evaluate.making import answers_of
from tests.records.making import TAXONOMY

PARAMS = ScoreRules(15, FrequencyParams(few_below=11, many_above=200), max_error=0.5, set_coverage=0.9)


class Page(HTMLParser):
    """Every address the page refers to, and its text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.addresses: list[str] = []
        self.tags: list[str] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.addresses += [value or "" for name, value in attrs if name in ("src", "href", "srcset", "data", "action")]

    def handle_data(self, data: str) -> None:
        self.text += data


def make_page(train: RecordSet, test: RecordSet, out: Path, name: str = "student") -> ModelPage:
    labels = test.labels("species")
    logits = np.eye(5, dtype=np.float32)[(labels + (np.arange(30) < 6)) % 5] * 4
    genus = answers_of(TAXONOMY.classes["genus"], test.labels("genus"), logits[:, :3], 1.2)
    species = answers_of(TAXONOMY.classes["species"], labels, logits, 1.5)
    answers = Answers(name, None, np.arange(30), {"species": species, "genus": genus})
    num_train, rule = count_photos(train), Rule(thresholds={"species": 0.6, "genus": 0.75}, num_chosen_by=30)
    scores = score(answers, test.regions, num_train, PARAMS)
    unproven = Rule(thresholds={"species": 0.8, "genus": 1.1})
    limits = dict.fromkeys(answers.ranks, 0.8)
    lists = score_lists(answers, 0.9, limits, name_frequencies(answers.first, num_train, PARAMS))
    fused = {"num_observations": 7, "top1": 0.85, "top1_interval": [0.6, 0.97], "top1_alone": 0.71, "risk": 0.03}
    fused |= {"top1_alone_interval": [0.5, 0.8], "risk_interval": [0.0, 0.1]}
    scores["answer"] = {
        "max_error": 0.05,
        "max_strange": 0.05,
        **score_decision(answers, rule),
        **lists,
        **score_calibration(answers, 15),
        "situations": {"one": {**score_decision(answers, rule), **lists}, "several": score_decision(answers, unproven)},
        "by_num_photos": {"1": fused, "2": fused},
        "num_photos_fused": 14,
        "fusion_exponent": 0.0,
    }
    figures = draw_figures(answers, rule, scores["answer"], num_train, PARAMS, TAXONOMY, out)
    return ModelPage(name, None, scores, figures, show_mistakes(answers, 3, train, test))


def test_the_page_holds_all_it_shows(train: RecordSet, test: RecordSet, tmp_path: Path):
    page = make_page(train, test, tmp_path)
    write_report(tmp_path / "index.html", [page], len(test), TAXONOMY.ranks, 15, {})
    html = (tmp_path / "index.html").read_text()
    parsed = Page(html)
    assert all(address.startswith(("data:image/", "#")) for address in parsed.addresses)
    assert "script" not in parsed.tags
    assert not re.search(r"https?://|url\(|@import", html)
    for expected in (
        "student",
        "80.0",
        "species",
        "genus",
        "north",
        "unknown",
        "few",
        "medium",
        "taken for",
        "71.0",
        "60.0, 75.0",
        "80.0, never",
        "too few",
    ):
        assert expected in parsed.text
    assert "Held out" not in parsed.text
    pictures = [address for address in parsed.addresses if address.startswith("data:image/png")]
    assert len(pictures) == len(page.figures) == 5


def test_held_out_photos_have_a_table(train: RecordSet, test: RecordSet, tmp_path: Path):
    page = make_page(train, test, tmp_path)
    unseen = {"num_photos": 1234, "auroc": 0.8765, "fpr95": 0.4321, "familiarity": {"auroc": 0.9123, "fpr95": 0.3214}}
    unseen |= {"refused": 0.6543, "refused_interval": [0.6, 0.7], "ranks": {"genus": {"num_photos": 0}}}
    blank = {"num_photos": 4321, "refused": 0.9753, "refused_interval": [0.9, 1.0]}
    both = replace(page, scores={**page.scores, "seen": page.scores, "unseen": unseen, "blank": blank})
    regional = replace(page, name="regional")
    few_shot = {"1_shot": {"top1": 0.345, "top1_std": 0.012, "num_species": 77}}
    write_report(tmp_path / "index.html", [both, regional], len(test), TAXONOMY.ranks, 15, few_shot)
    text = " ".join(Page((tmp_path / "index.html").read_text()).text.split())
    held_out = text[text.index("Held out") : text.index("By rank")]
    for expected in (
        "student",
        "80.0",
        "1,234",
        "0.876",
        "0.912",
        "32.1",
        "43.2",
        "1-shot",
        "77 species",
        "34.5",
        "regional",
        "65.4",
        "4,321",
        "97.5",
    ):
        assert expected in held_out


def test_worst_confusions_come_with_photos_of_both_sides(train: RecordSet, test: RecordSet, tmp_path: Path):
    mistakes = make_page(train, test, tmp_path).mistakes
    assert len(mistakes) == 3
    for mistake in mistakes:
        assert 1 <= len(mistake.mistaken) <= 3
        assert len(mistake.typical) == 3
        assert all(uri.startswith("data:image/jpeg;base64,/9j/") for uri in (*mistake.mistaken, *mistake.typical))


def test_names_are_text_not_markup(train: RecordSet, test: RecordSet, tmp_path: Path):
    page = make_page(train, test, tmp_path)
    nasty = ModelPage("<script>alert(1)</script>", None, page.scores, page.figures, page.mistakes)
    write_report(tmp_path / "index.html", [nasty], len(test), TAXONOMY.ranks, 15, {})
    assert "script" not in Page((tmp_path / "index.html").read_text()).tags
