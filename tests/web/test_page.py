"""The exported page in a real browser: it answers as ONNX Runtime does, wherever it lies and however it comes."""

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import BrowserContext, Page, Route, expect

from fieldguide.export.inputs import normalise_squares
from fieldguide.export.node import WEB
from fieldguide.export.parity import predict_onnxruntime
from fieldguide.images.decode import upright_rgb
from fieldguide.images.geometry import Layout, Method
from fieldguide.images.square import make_square
from tests.export.making import IMAGE_SIZE
from tests.records.making import TAXONOMY
from tests.web.conftest import GUIDE, PATIENCE, answer, photo_file
from tests.web.serving import Site, asking, export_anew

pytestmark = pytest.mark.slow

LOGIT_ERROR = 0.1
"""What float16 weights may cost."""


def inputs_of(file: dict[str, Any]) -> np.ndarray:
    """What the network is shown of a photo in the pipeline: float32 [1, side, side, 3]."""
    square, _ = make_square(upright_rgb(Image.open(io.BytesIO(file["buffer"]))), Layout(32, Method.PAD))
    return normalise_squares(np.asarray(square)[None], IMAGE_SIZE, [0.5, 0.4, 0.3], [0.5, 0.25, 0.2])


def expected_logits(paths: dict[str, Path], file: dict[str, Any]) -> np.ndarray:
    """What the trained network makes of the same photo in the pipeline: float32 [classes]."""
    return predict_onnxruntime(paths["out"] / "student.onnx", inputs_of(file))[0]


@pytest.mark.parametrize("kind", ["plain.png", "plain.webp", "turned.jpg"])
def test_a_photo_is_answered_as_in_training(kind: str, page: Page, paths: dict[str, Path]) -> None:
    file = photo_file(kind)
    answered = answer(page, file)
    logits, expected = np.array(answered["logits"]), expected_logits(paths, file)
    assert np.abs(logits - expected).max() < LOGIT_ERROR
    assert logits[:5].argmax() == expected[:5].argmax()
    best = answered["best"]
    assert best["name"] in TAXONOMY.classes[best["rank"]]
    shown = TAXONOMY.vernacular.get(best["name"], best["name"])
    expect(page.locator("#name")).to_have_text("Something not in this guide" if shown == "other" else shown)
    expect(page.locator("#confidence")).to_have_text(f"{round(100 * best['probability'])}% sure")
    expect(page.locator("#engine")).to_contain_text("wasm")


def test_everything_comes_once_the_list_first_and_then_the_weights(context: BrowserContext, site: Site) -> None:
    page = context.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url.removeprefix(site.address(GUIDE))))
    page.goto(site.address(GUIDE))
    expect(page.locator("body[data-state=ready]")).to_be_visible(timeout=PATIENCE)
    weights, wasm = "group1-shard1of1.bin.gzip", "tfjs-backend-wasm-simd.wasm.gzip"
    assert [asked.count(file) for file in (weights, wasm, "worker.js", "app.js", "bundle.json")] == [1] * 5
    assert asked.index("bundle.json") < asked.index(weights) < asked.index("model.json")


def test_what_the_model_calls_other_is_said_to_be_outside_the_guide(
    context: BrowserContext, site: Site, paths: dict[str, Path], tmp_path: Path
) -> None:
    file = photo_file("plain.png")
    species, genus = np.split(expected_logits(paths, file), [5])
    # The same model, with the likeliest classes called `other`.
    classes = {}
    for rank, logits in (("species", species), ("genus", genus)):
        names = TAXONOMY.classes[rank].copy()
        best = int(logits.argmax())
        names[0], names[best] = names[best], names[0]
        classes[rank] = names
    changes = {
        "labels.json": {"classes": classes},
        "calibration.json": {"temperatures": {"species": 0.05, "genus": 0.05}, **asking(0.9)},
    }
    site.publish(export_anew(paths["bundle"], tmp_path / "other", changes), "other")
    page = context.new_page()
    page.goto(site.address("other"))
    assert answer(page, file)["verdict"] == "outside"
    expect(page.locator("#rank")).to_have_text("Not in this guide")
    expect(page.locator("#name")).to_have_text("Something not in this guide")
    expect(page.locator("#lineage")).to_be_hidden()


def test_a_stranger_is_outside_however_sure_the_model_is(
    context: BrowserContext, site: Site, paths: dict[str, Path], tmp_path: Path
) -> None:
    rules = asking(0.0)
    rules["rules"]["fallback"]["min_familiarity"] = 1e6
    site.publish(export_anew(paths["bundle"], tmp_path / "strict", {"calibration.json": rules}), "strict")
    page = context.new_page()
    page.goto(site.address("strict"))
    assert answer(page, photo_file("plain.png"))["verdict"] == "strange"
    expect(page.locator("#rank")).to_have_text("Not in this guide")
    expect(page.locator("#name")).to_have_text("Something not in this guide")
    expect(page.locator("#remark")).to_contain_text("like nothing that this guide knows")
    for part in ("#lineage", "#bar", "#confidence", "#likely"):
        expect(page.locator(part)).to_be_hidden()
    expect(page.locator("#others-title")).to_have_text("What it resembles most")


def test_an_example_is_answered_and_credited(page: Page) -> None:
    page.locator("#examples button").first.click()
    expect(page.locator("body[data-state=answered]")).to_be_visible(timeout=PATIENCE)
    expect(page.locator("#caption")).to_contain_text("CC")
    expect(page.locator("#progress")).to_be_hidden()


def test_the_page_names_whose_software_it_holds_and_where_its_source_is(page: Page, paths: dict[str, Path]) -> None:
    licences = (paths["bundle"] / "licences.txt").read_text(encoding="utf-8")
    locked = json.loads((WEB.parent / "package-lock.json").read_text())["packages"]
    for name in ("@tensorflow/tfjs-core", "exifreader", "fflate", "world-atlas"):
        package = locked[f"node_modules/{name}"]
        source = f"https://registry.npmjs.org/{name}/-/{name.split('/')[-1]}-{package['version']}.tgz"
        assert f"{name} {package['version']}, {package['license']}, {source}" in licences
    assert "esbuild" not in licences
    assert page.locator("footer").get_by_role("link", name="Licences").get_attribute("href") == "licences.txt"


def test_a_photo_chosen_before_the_page_is_ready_is_answered(context: BrowserContext, site: Site) -> None:
    held: list[Route] = []
    page = context.new_page()
    page.route("**/labels.json", lambda route: held.append(route))
    page.goto(site.address(GUIDE), wait_until="commit")
    page.locator("#pick").set_input_files(photo_file("plain.png"))
    expect(page.locator("body[data-state=thinking]")).to_be_visible(timeout=PATIENCE)
    while not held:
        page.wait_for_timeout(20)
    held[0].continue_()
    expect(page.locator("body[data-state=answered]")).to_be_visible(timeout=PATIENCE)


def test_a_photo_dropped_while_a_slow_network_brings_the_guide_is_answered_after_it(
    context: BrowserContext, site: Site
) -> None:
    page = context.new_page()
    network = context.new_cdp_session(page)
    network.send("Network.enable")
    slow = {"offline": False, "latency": 100, "downloadThroughput": 300_000, "uploadThroughput": 300_000}
    network.send("Network.emulateNetworkConditions", slow)
    page.goto(site.address(GUIDE), wait_until="commit")
    expect(page.locator("#download")).to_contain_text("MB", timeout=PATIENCE)
    first = page.locator("#progress").evaluate("(bar) => bar.value / bar.max")
    drop = "(bytes) => { const data = new DataTransfer();"
    drop += " data.items.add(new File([new Uint8Array(bytes)], 'dropped.png'));"
    drop += " document.dispatchEvent(new DragEvent('drop', { dataTransfer: data, cancelable: true })); }"
    page.evaluate(drop, list(photo_file("plain.png")["buffer"]))
    expect(page.locator("#waiting")).to_contain_text("as soon as the guide is here")
    page.wait_for_function(
        "(first) => { const { value, max } = window.progress; return value / max > first; }", arg=first
    )
    expect(page.locator("body[data-state=answered]")).to_be_visible(timeout=PATIENCE)
    expect(page.locator("#progress")).to_be_hidden()


def test_the_manifest_makes_an_application_of_its_own_folder(paths: dict[str, Path]) -> None:
    manifest = json.loads((paths["bundle"] / "manifest.webmanifest").read_text())
    # Without an id it is the start address; a relative id would be that of the whole origin.
    assert (manifest["start_url"], manifest["scope"], "id" in manifest) == ("./", "./", False)
    for icon in manifest["icons"]:
        if icon["type"] == "image/png":
            with Image.open(paths["bundle"] / icon["src"]) as picture:
                assert icon["sizes"] == f"{picture.width}x{picture.height}"
        else:
            assert (paths["bundle"] / icon["src"]).is_file()
