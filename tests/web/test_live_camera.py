"""The live camera: Chromium's own test picture, or a photo in a file, stands for what it sees."""

from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Browser, Page, expect

from fieldguide.export.parity import predict_onnxruntime
from tests.images.pictures import blotches, encode
from tests.records.making import TAXONOMY
from tests.web.conftest import ARGS, GUIDE, PATIENCE, WHEN_ANSWERED, find_browser
from tests.web.serving import ANY, Site, export_anew
from tests.web.test_page import inputs_of

pytestmark = pytest.mark.slow


def test_what_the_camera_sees_is_named_and_a_picture_of_it_is_answered(page: Page) -> None:
    page.context.grant_permissions(["camera"])
    page.get_by_role("button", name="Name what the camera sees").click()
    expect(page.locator("#camera-says")).to_have_text("Looking…")
    expect(page.locator("#camera-says")).not_to_have_text("Looking…", timeout=PATIENCE)
    expect(page.locator("#verdict")).to_be_hidden()
    page.get_by_role("button", name="Take this picture").click()
    expect(page.locator("body[data-state=answered]")).to_be_visible(timeout=PATIENCE)
    expect(page.locator("#photo")).to_be_visible()
    assert page.evaluate("document.getElementById('camera-view').srcObject") is None


def test_a_camera_that_is_not_allowed_is_said_and_a_photo_still_answered(page: Page) -> None:
    refuse = "() => Promise.reject(new DOMException('not allowed', 'NotAllowedError'))"
    page.evaluate(f"() => {{ navigator.mediaDevices.getUserMedia = {refuse}; }}")
    page.get_by_role("button", name="Name what the camera sees").click()
    expect(page.locator("#reason")).to_contain_text("The camera cannot be used (not allowed).")


def two_species(paths: dict[str, Path]) -> dict[str, bytes]:
    """Photos by the species that the network names in them, the two that it is surest of."""
    found: dict[str, tuple[float, bytes]] = {}
    photos = [encode(blotches(seed, 640, 480), quality=95) for seed in range(40)]
    inputs = np.concatenate([inputs_of({"buffer": photo}) for photo in photos])
    for photo, logits in zip(photos, predict_onnxruntime(paths["out"] / "student.onnx", inputs), strict=True):
        *_, second, best = sorted(range(1, 5), key=lambda place: logits[place])
        margin = float(logits[best] - logits[second])
        name = TAXONOMY.classes["species"][best]
        found[name] = max(found.get(name, (0.0, b"")), (margin, photo))
    surest = sorted(found, key=lambda name: found[name][0])[-2:]
    return {name: found[name][1] for name in surest}


def test_it_names_the_species_that_is_before_the_camera(
    browser: Browser, site: Site, paths: dict[str, Path], tmp_path: Path
) -> None:
    changes = {"calibration.json": {"temperatures": {"species": 0.05, "genus": 0.05}, "rules": ANY}}
    site.publish(export_anew(paths["bundle"], tmp_path / "named", changes), GUIDE)
    photos = two_species(paths)
    assert len(photos) == 2
    program = find_browser("chromium", "chromium-browser", "google-chrome")
    for name, photo in photos.items():
        film = tmp_path / f"{name.split()[1]}.mjpeg"  # Debian's script for Chromium ends an argument at a blank
        film.write_bytes(photo * 2)
        camera = f"--use-file-for-fake-video-capture={film}"
        aimed = browser.browser_type.launch(executable_path=program, args=[*ARGS, camera])
        page = aimed.new_page(permissions=["camera"])
        page.add_init_script(WHEN_ANSWERED)
        page.goto(site.address(GUIDE))
        page.get_by_role("button", name="Name what the camera sees").click()
        said = page.locator("#camera-says")
        expect(said).to_contain_text(TAXONOMY.vernacular.get(name, name), timeout=PATIENCE)
        expect(said).to_contain_text("%")
        page.get_by_role("button", name="Take this picture").click()
        page.wait_for_function("() => window.answered", timeout=PATIENCE)
        assert page.evaluate("window.answered.best.name") == name
        aimed.close()
