"""Which transforms params.yaml may name, and what becomes of them."""

import importlib
import re

import numpy as np
import pytest
import torch
from PIL import Image

from fieldguide.errors import ParamsError
from fieldguide.learn.augmentations import ALLOWED_CLASSES
from fieldguide.learn.transforms import RandomCrop, build_transforms

NOISE = Image.fromarray(np.random.default_rng(0).integers(0, 256, (48, 48, 3), dtype=np.uint8))


def test_transforms_are_applied_in_order():
    flip = {"_target_": "torchvision.transforms.v2.RandomHorizontalFlip", "p": 1.0}
    crop = {"_target_": "torchvision.transforms.v2.CenterCrop", "size": 10}
    found = build_transforms([crop, flip])(NOISE)
    assert np.array_equal(np.asarray(found), np.asarray(NOISE)[19:29, 19:29][:, ::-1])
    assert build_transforms([])(NOISE) is NOISE


def test_the_random_crop_is_a_part_of_the_photo():
    torch.manual_seed(3)
    part = RandomCrop((0.25, 0.5), (0.8, 1.25))(NOISE)
    assert 0.2 < part.width * part.height / 48**2 < 0.55
    assert 0.7 < part.width / part.height < 1.4


@pytest.mark.parametrize("name", sorted(ALLOWED_CLASSES))
def test_every_allowed_class_exists(name: str):
    package, _, cls = name.rpartition(".")
    assert isinstance(getattr(importlib.import_module(package), cls), type)


V2 = "torchvision.transforms.v2"


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"_target_": "os.system", "command": "true"}, "'os.system' is not allowed"),
        ({"_target_": "torchvision_evil.Transform"}, "is not allowed"),
        ({"_target_": "timm.data.dataset.os.system", "command": "true"}, "is not allowed"),
        ({"_target_": "timm.data.readers.reader_wds.ReaderWds", "root": "pipe:touch here"}, "is not allowed"),
        ({"_target_": f"{V2}.functional.resize"}, "is not allowed"),
        ({"_target_": f"{V2}.Lambda", "lambd": {"_target_": "subprocess.Popen", "args": "true"}}, "is not allowed"),
        ({"_target_": f"{V2}.RandomApply", "transforms": [{"_target_": "os.system"}]}, "'os.system' is not allowed"),
        ({"_target_": f"{V2}.Pad", "padding": "${oc.env:HOME}"}, "expected no '${'"),
        ({"_target_": f"{V2}.Pad", "padding": [{"x": "${oc.create:{_target_: os.system}}"}]}, "expected no '${'"),
        ({"_target_": f"{V2}.Pad", "_partial_": True}, "has the key '_partial_'"),
        ({"_target_": f"{V2}.Pad", "_args_": [1]}, "has the key '_args_'"),
        ({"_target_": f"{V2}.NoSuchThing"}, "is not allowed"),
        ({"_target_": f"{V2}.CenterCrop", "sides": 3}, "unexpected keyword argument"),
        ({"_target_": 7}, "_target_ 7 is not allowed"),
        ({"p": 0.5}, "has no _target_"),
    ],
)
def test_refused_transforms(config: dict[str, object], message: str):
    with pytest.raises(ParamsError, match=re.escape(message)) as caught:
        build_transforms([config])
    assert str(caught.value).startswith("transforms[0]")
    assert "\n" not in str(caught.value)
