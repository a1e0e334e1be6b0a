"""Guide.explain: what each place adds to a logit, exact where the network allows it and refused where not."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import fieldguide
from fieldguide.errors import ExportError, ParamsError
from fieldguide.images.geometry import Layout, Method
from fieldguide.inference.heat import lay_on_photo
from fieldguide.inference.runtimes import load_torch
from fieldguide.learn.network import build_network, save_network
from fieldguide.learn.params import BackboneParams
from tests.images.pictures import blotches
from tests.records.making import TAXONOMY


@pytest.mark.parametrize("runtime", ["torch", "onnx"])
def test_what_all_places_add_and_the_bias_are_the_logit(runtime: str, model: Path) -> None:
    guide = fieldguide.load(model, runtime)
    image = guide._to_inputs([guide.to_square(Image.fromarray(np.asarray(blotches(1, 300, 200))))])
    [logits] = guide.runtime.predict(image)
    maps = guide.runtime.open_maps()
    for output in range(len(logits)):
        found = maps.map_output(image, logits, output)
        assert found.dtype == np.float32
        assert found.size > 1
        assert float(found.sum()) + maps.bias[output] == pytest.approx(logits[output], abs=1e-4)


def test_both_runtimes_see_the_same(model: Path, photos: Path) -> None:
    path = sorted(photos.rglob("*/*.jpg"))[0]
    by_torch, by_onnx = (fieldguide.load(model, runtime).explain(path, "Linum album") for runtime in ("torch", "onnx"))
    assert by_torch.dtype == np.float32
    with Image.open(path) as image:
        assert by_torch.shape == image.size[::-1]
    assert np.abs(by_torch - by_onnx).max() < 1e-5


def test_a_turned_photo_is_explained_upright(model: Path) -> None:
    upright = Image.fromarray(np.asarray(blotches(2, 90, 60)))
    stored = upright.transpose(Image.Transpose.ROTATE_90)
    stored.getexif()[0x0112] = 6
    guide = fieldguide.load(model)
    assert guide.explain(stored, "Linum album").shape == (60, 90)
    assert np.array_equal(guide.explain(stored, "Linum album"), guide.explain(upright, "Linum album"))


def test_by_default_it_is_about_what_is_named(model: Path, photos: Path) -> None:
    guide, path = fieldguide.load(model), sorted(photos.rglob("*/*.jpg"))[0]
    [answer] = guide.predict([path])
    taxon = answer.taxon
    if taxon.name != "other":
        assert np.array_equal(guide.explain(path), guide.explain(path, taxon.name))
    with pytest.raises(ParamsError, match="taxon 'Nemo' is unknown to this guide"):
        guide.explain(path, "Nemo")


def stirred(architecture: str, folder: Path) -> Path:
    """A network whose layers all do something."""
    backbone = {
        "architecture": architecture,
        "architecture_args": {},
        "image_size": 64 if "vit" not in architecture else 160,
        "mean": (0.5, 0.5, 0.5),
        "std": (0.5, 0.5, 0.5),
        "mask_padding": False,
        "weights": {"from": "scratch"},
    }
    ranks, classes = TAXONOMY.ranks, TAXONOMY.classes
    network = build_network(BackboneParams.model_validate(backbone), ranks=ranks, classes=classes, region=None, seed=1)
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for parameter in network.module.parameters():
            parameter.add_(0.1 * torch.randn(parameter.shape, generator=generator))
    folder.mkdir()
    save_network(network, folder)
    return folder


@pytest.mark.parametrize(
    ("architecture", "has_map"),
    [
        ("mobilenetv2_035", True),
        ("test_efficientnet", True),
        ("test_resnet", True),
        ("mobilenetv3_small_050", False),
        ("test_convnext", False),
        ("test_vit", False),
    ],
)
def test_a_network_has_a_map_or_is_refused(architecture: str, has_map: bool, tmp_path: Path) -> None:
    runtime = load_torch(stirred(architecture, tmp_path / "network"))
    side = 64 if "vit" not in architecture else 160
    image = np.random.default_rng(3).normal(size=(1, 3, side, side)).astype(np.float32)
    [logits] = runtime.predict(image)
    maps = runtime.open_maps()
    if has_map:
        found = maps.map_output(image, logits, 2)
        assert float(found.sum()) + maps.bias[2] == pytest.approx(logits[2], rel=1e-4, abs=1e-4)
    else:
        with pytest.raises(ExportError, match="has no exact heat map; expected one that ends in the mean"):
            maps.map_output(image, logits, 2)


@pytest.mark.parametrize(
    ("layout", "expected"),
    [
        # The photo fills the middle two of the square's four rows: those above and below are padding.
        (Layout(8, Method.PAD), [[4, 5, 6, 7], [8, 9, 10, 11]]),
        # The middle of the photo fills the square, so its ends were not seen.
        (Layout(8, Method.CROP), [[0, 2.5, 4.5, 0], [0, 10.5, 12.5, 0]]),
        (Layout(8, Method.SQUASH), [[2, 3, 4, 5], [10, 11, 12, 13]]),
    ],
)
def test_a_map_is_laid_where_the_photo_was(layout: Layout, expected: list[list[float]]) -> None:
    square = np.arange(16, dtype=np.float32).reshape(4, 4)
    assert lay_on_photo(square, 4, 2, layout).tolist() == expected
