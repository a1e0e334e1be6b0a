"""A slot is used again as soon as nobody looks at it, and never before."""

import gc

import torch

from fieldguide.records.torch.slots import InSlot, Slots


def test_a_slot_is_free_when_the_last_view_is_gone():
    slots = Slots(1, 24)
    assert slots.take() == 0
    images = slots.read(0, (2, 2, 2, 3))
    part = images.permute(0, 3, 1, 2)[1]
    del images
    assert slots.take() is None
    del part
    assert slots.take() == 0


def test_what_is_written_is_read_even_when_the_slots_are_gone():
    slots = Slots(3, 12)
    for slot in range(3):
        slots.write(slot, (1, 2, 2, 3)).fill_(slot)
    read = [InSlot(slots.number, slot, (1, 2, 2, 3)).open() for slot in range(3)]
    del slots
    gc.collect()
    for slot, images in enumerate(read):
        assert images.shape == (1, 3, 2, 2)
        assert torch.equal(images, torch.full((1, 3, 2, 2), slot, dtype=torch.uint8))


def test_a_batch_that_does_not_fit_has_to_lie_elsewhere():
    slots = Slots(2, 12)
    assert slots.write(1, (1, 1, 4, 3)) is not None
    assert slots.write(1, (1, 1, 5, 3)) is None
