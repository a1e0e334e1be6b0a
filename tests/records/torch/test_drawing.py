"""Photos as a network's input."""

import numpy as np
import pytest
import torch

from fieldguide.records.torch.drawing import to_input

MEAN, STD = (0.5, 0.4, 0.3), (0.5, 0.25, 0.2)
NOISE = np.random.default_rng(0).integers(0, 256, (2, 3, 20, 24), np.uint8)


@pytest.mark.parametrize("memory_format", [torch.contiguous_format, torch.channels_last])
def test_an_input_is_the_normalised_image(memory_format: torch.memory_format):
    images = torch.from_numpy(NOISE).contiguous(memory_format=memory_format)
    inputs = to_input(images, MEAN, STD)
    assert inputs.dtype == torch.float32
    assert inputs.is_contiguous(memory_format=torch.channels_last)
    expected = NOISE.transpose(0, 2, 3, 1).astype(np.float32) / np.float32(255)
    expected = (expected - np.array(MEAN, np.float32)) / np.array(STD, np.float32)
    assert np.array_equal(inputs.permute(0, 2, 3, 1).numpy(), expected)
