"""Randomness without memory: what is drawn depends on a few words, never on what was drawn before.

That is what makes a resumed run exact. Nothing has to be saved or restored, on any device and for any number of
workers: a sample draws from (seed, view, photo id), a training step from (seed, epoch, step).
"""

import hashlib
import random
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch


def seed_of(*words: object) -> int:
    """A 63-bit seed that depends on nothing but the words (their text)."""
    digest = hashlib.sha256("\0".join(map(str, words)).encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1


@contextmanager
def drawn_from(*words: object, torch_alone: bool = False) -> Iterator[None]:
    """Inside, Python's, NumPy's and torch's CPU generators start at `seed_of(*words)`; afterwards they go on as before.

    The three are what transforms of torchvision and timm draw from. With `torch_alone` only torch's does: the other
    two take twenty times as long to save and restore.
    """
    seed = seed_of(*words)
    before = torch.get_rng_state()
    others = None if torch_alone else (random.getstate(), np.random.get_state())
    # Not torch.manual_seed, which would also reset the generators of the accelerators.
    torch.default_generator.manual_seed(seed)
    if others:
        random.seed(seed)
        np.random.seed(seed % 2**32)
    try:
        yield
    finally:
        torch.set_rng_state(before)
        if others:
            random.setstate(others[0])
            np.random.set_state(others[1])
