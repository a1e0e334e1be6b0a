"""What the page promises of an answer: only what was measured of answers to as much as it was told."""

import pytest
from playwright.sync_api import Page, expect

from tests.web.conftest import answer
from tests.web.test_exif import jpeg
from tests.web.test_occasion import HERE, PHOTO
from tests.web.test_several import PHOTOS, add, take_away

pytestmark = pytest.mark.slow

PROMISE = "no more than 10 in 100"


def test_each_answer_has_the_promise_of_its_situation(page: Page) -> None:
    promise, unmeasured = page.locator("#promise"), page.locator("#unmeasured")
    assert answer(page, PHOTOS[0])["rule"]["num_chosen_by"] == 60
    expect(promise).to_contain_text(f"{PROMISE} photos get a wrong name")
    expect(promise).to_contain_text("Tested on 1,240 answers")
    expect(promise).to_contain_text("8 in 100 were wrong (95 % interval: 5.5 to 11)")
    expect(unmeasured).to_be_hidden()
    # Of several photos nothing was measured.
    together = add(page, PHOTOS[1])
    assert (together["rule"]["num_chosen_by"], together["numLikely"]) == (0, None)
    expect(promise).to_be_hidden()
    expect(unmeasured).to_be_visible()
    expect(page.locator("#likely")).to_be_hidden()
    take_away(page, 2)
    expect(promise).to_be_visible()
    placed = answer(page, {**PHOTO, "buffer": jpeg(HERE)})
    assert placed["rule"]["thresholds"] == {"species": 0.5, "genus": 0.4}
    expect(promise).not_to_contain_text("Tested")
    expect(promise).to_contain_text(f"From what it was told here it names a taxon only when so sure that {PROMISE}")
    expect(unmeasured).to_be_hidden()
