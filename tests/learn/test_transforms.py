"""From JPEG to input, and which transforms params.yaml may name."""

import io

import numpy as np
import pytest
from PIL import Image

from fieldguide.errors import ParamsError
from fieldguide.learn.transforms import build_transforms, decode, to_input

NOISE = Image.fromarray(np.random.default_rng(0).integers(0, 256, (48, 48, 3), dtype=np.uint8))


def test_input_is_the_normalised_image():
    values = to_input(NOISE, 48, (0.5, 0.4, 0.3), (0.5, 0.25, 0.2)).numpy()
    assert values.dtype == np.float32
    expected = (np.asarray(NOISE) / 255 - [0.5, 0.4, 0.3]) / [0.5, 0.25, 0.2]
    np.testing.assert_allclose(values, expected.transpose(2, 0, 1), atol=1e-5)


def test_another_size_is_pillows_antialiased_bicubic():
    resized = NOISE.resize((20, 20), Image.Resampling.BICUBIC)
    zero, one = (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)
    assert np.array_equal(to_input(NOISE, 20, zero, one), to_input(resized, 20, zero, one))


def test_decode_takes_jpeg_only():
    stream = io.BytesIO()
    NOISE.save(stream, "PNG")
    with pytest.raises(OSError, match="cannot identify"):
        decode(stream.getvalue())


def test_transforms_are_applied_in_order():
    flip = {"_target_": "torchvision.transforms.v2.RandomHorizontalFlip", "p": 1.0}
    crop = {"_target_": "torchvision.transforms.v2.CenterCrop", "size": 10}
    found = build_transforms([crop, flip])(NOISE)
    assert np.array_equal(np.asarray(found), np.asarray(NOISE)[19:29, 19:29][:, ::-1])
    assert build_transforms([])(NOISE) is NOISE


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"_target_": "os.system", "command": "true"}, "outside the allowed packages"),
        ({"_target_": "torchvision_evil.Transform"}, "outside the allowed packages"),
        ({"_target_": "timm.data.dataset.os.system", "command": "true"}, "is not a class of an allowed package"),
        ({"_target_": "torchvision.transforms.v2.functional.resize"}, "is not a class of an allowed package"),
        (
            {"_target_": "torchvision.transforms.v2.Lambda", "lambd": {"_target_": "subprocess.Popen", "args": "true"}},
            "outside the allowed packages",
        ),
        ({"_target_": "torchvision.transforms.v2.NoSuchThing"}, "cannot be found"),
        ({"_target_": "torchvision.transforms.v2.CenterCrop", "sides": 3}, "unexpected keyword argument"),
        ({"_target_": 7}, "outside the allowed packages"),
        ({"p": 0.5}, "has no _target_"),
    ],
)
def test_refused_transforms(config: dict[str, object], message: str):
    with pytest.raises(ParamsError, match=message) as caught:
        build_transforms([config])
    assert str(caught.value).startswith("transforms[0]")
    assert "\n" not in str(caught.value)


def test_a_step_that_does_not_give_an_image_is_refused():
    with pytest.raises(ParamsError, match="transforms give a Image; expected steps from PIL image to PIL image"):
        build_transforms(
            [{"_target_": "torchvision.transforms.v2.PILToTensor"}, {"_target_": "torchvision.transforms.v2.ToImage"}]
        )(NOISE)
