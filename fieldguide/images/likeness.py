"""Whether two pictures are one, seen with more than a fingerprint: laid on each other and compared block by block.

Fingerprints say what might be a copy. Strangers come as near to each other as copies do: specimens on one kind of
sheet, animals before one fixed camera. Here the second picture is shifted, stretched and adjusted in brightness until
it fits the first best, by Gauss-Newton steps from coarse to fine (Lucas and Kanade, 1981), so that crops, sizes and
exposures do not matter. Then neighbourhoods are compared by the structural part of SSIM (Wang et al., 2004).

Of a copy and its original at least one holds nothing that the other lacks; a watermark only adds. Of two specimens each
has something of its own. So what counts is the *lesser* of the two shares of detail that only one picture has.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from PIL import Image
from scipy.ndimage import uniform_filter

SIDE: Final = 256
"""px. At 128 px small specimens of one species are alike."""
BLOCK: Final = 4
"""px. Within larger blocks a wing's outline outweighs its pattern."""
AROUND: Final = 3
"""Blocks whose agreement is judged together, down and across."""
NOISE: Final = 4.0
"""Gray levels squared: what saving again changes in a plain block."""
SAVED_SHARE: Final = 0.2
"""Where half of all neighbourhoods differ in at most this share of their detail, it is one picture saved twice."""
SAVED_NOISE: Final = 6.0
"""Times what that half differs in: what hard compression of small pictures changes anywhere."""
AGREES: Final = 0.5
"""Structural similarity below which a neighbourhood is not the same in both; copies have 0.8 and more."""
LACKING: Final = 0.003
ADDED: Final = 0.3
"""The most that a copy may lack of its original, and have more than it, as shares of all detail."""
STEPS: Final = {16: 8, 32: 5, 64: 3, 128: 2}
"""The sides at which pictures are laid on each other, px, and the most steps at each."""
MAX_CONTRAST: Final = 8.0
"""Times the other's: beyond it one picture is plain, and is like no other."""
MAX_STEP: Final = 0.05
MAX_CHANGE: Final = 0.2
"""By how much one picture may be larger than the other, or lie beside it, as a share of its side."""

Levels = npt.NDArray[np.float32]
"""Gray levels, 0 to 255, shape [height, width]."""
Pose = npt.NDArray[np.float64]
"""How one picture lies on another: stretch and shift downwards, stretch and shift to the right, as shares; [4]."""


@dataclass(frozen=True)
class Likeness:
    """What two pictures do not share: of all detail, the shares that only one of them has."""

    lesser: float
    greater: float

    @property
    def is_same(self) -> bool:
        """Whether they are one picture, but for what was cut off or added."""
        return self.lesser <= LACKING and self.greater <= ADDED


def look(image: Image.Image) -> Image.Image:
    """What is compared of an RGB image: gray, no side longer than SIDE px; its aspect is given up for that."""
    size = (min(image.width, SIDE), min(image.height, SIDE))
    return image.convert("L").resize(size, Image.Resampling.BOX)


def compare(one: Image.Image, other: Image.Image) -> Likeness:
    """The likeness of two looks."""
    # A thumbnail lacks the detail of its original, so the larger picture is made to lack it as well.
    detail = (min(one.width, other.width), min(one.height, other.height))
    ones, others = _read_levels(one, detail), _read_levels(other, detail)
    return compare_blocks(*lay(ones, others, align(ones, others)))


def _read_levels(picture: Image.Image, detail: tuple[int, int]) -> Levels:
    small = picture.resize(detail, Image.Resampling.BOX)
    return np.asarray(small.resize((SIDE, SIDE), Image.Resampling.BICUBIC), np.float32)


def align(one: Levels, other: Levels) -> Pose:
    """How `other` lies on `one`; both [SIDE, SIDE]."""
    ones, others = {SIDE: one}, {SIDE: other}
    for side in reversed(STEPS):
        ones[side], others[side] = _halve(ones[side * 2]), _halve(others[side * 2])
    pose = np.zeros(4)
    for side, most_steps in STEPS.items():
        along = _places(side).astype(np.float32)
        for _ in range(most_steps):
            still, moved = lay(ones[side], others[side], pose)
            rows, columns = _overlap(side, pose)
            down, right = np.gradient(moved, axis=(0, 1))
            down, right = down * (side / (1 + pose[0])), right * (side / (1 + pose[2]))
            changes = (down * along[rows, None], down, right * along[columns], right, moved, np.ones_like(moved))
            basis = np.stack([change.ravel() for change in changes]).astype(np.float64)
            # Not by BLAS, whose sums depend on the number of its threads.
            normal, wanted = np.einsum("ip,jp", basis, basis), np.einsum("ip,p", basis, still.ravel())
            *moves, gain, _ = np.linalg.lstsq(normal, wanted, rcond=None)[0]
            if gain < 0.1:
                # They have nothing in common, or one is a negative.
                break
            step = np.clip(np.array(moves) / gain, -MAX_STEP, MAX_STEP)
            pose = np.clip(pose + step, -MAX_CHANGE, MAX_CHANGE)
            if np.abs(step).max() < 0.05 / side:
                break
    return pose


def lay(one: Levels, other: Levels, pose: Pose) -> tuple[Levels, Levels]:
    """The part of `one` that `other` covers in `pose`, and what `other` shows there; both are square."""
    side = len(one)
    rows, columns = _overlap(side, pose)
    down, right = _read_at(side, pose)
    return one[rows, columns], _sample(_sample(other, down[rows], 0), right[columns], 1)


def compare_blocks(one: Levels, other: Levels) -> Likeness:
    """The likeness of two pictures of one shape that lie on each other."""
    ones, others = _blocks(one), _blocks(other)
    detail, other_detail = (uniform_filter((part * part).mean(-1), AROUND, mode="constant") for part in (ones, others))
    shared = uniform_filter((ones * others).mean(-1), AROUND, mode="constant")
    # Both are brought to one contrast: what differs in nothing else is the same.
    contrast = np.sqrt(max(float(other_detail.sum()), 1e-6) / max(float(detail.sum()), 1e-6))
    if not detail.any() or not 1 / MAX_CONTRAST < contrast < MAX_CONTRAST:
        return Likeness(1.0, 1.0)
    detail, other_detail = detail * contrast, other_detail / contrast
    both = detail + other_detail
    weights = np.sqrt(np.maximum(both, 0))
    total = float(weights.sum())
    noise = estimate_noise(both - 2 * shared, both)
    differs = 2 * shared + noise < AGREES * (both + noise)
    has_more = detail >= other_detail
    shares = (float(weights[differs & side].sum()) / total for side in (has_more, ~has_more))
    return Likeness(*sorted(shares))


def estimate_noise(difference: Levels, both: Levels) -> float:
    """Gray levels squared up to which a difference of neighbourhoods is put down to how the pictures were saved.

    `difference` is what two pictures do not share of their detail `both`, each [down, across].
    """
    usual, detail = float(np.median(difference)), float(np.median(both))
    return max(NOISE, SAVED_NOISE * usual) if usual <= SAVED_SHARE * detail else NOISE


def _places(side: int) -> npt.NDArray[np.float64]:
    """Where the pixels of a side lie, its middle being 0 and its length 1."""
    return (np.arange(side) + 0.5) / side - 0.5


def _read_at(side: int, pose: Pose) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """For every row and every column of the first picture, where the second is read, px."""
    along = _places(side)
    return ((1 + pose[0]) * along + pose[1] + 0.5) * side - 0.5, ((1 + pose[2]) * along + pose[3] + 0.5) * side - 0.5


def _overlap(side: int, pose: Pose) -> tuple[slice, slice]:
    """The rows and columns of the first picture that the second covers."""
    covered = [np.flatnonzero((places >= 0) & (places <= side - 1)) for places in _read_at(side, pose)]
    rows, columns = (slice(int(inside[0]), int(inside[-1]) + 1) for inside in covered)
    return rows, columns


def _sample(levels: Levels, places: npt.NDArray[np.float64], axis: int) -> Levels:
    """`levels` between its pixels, along one axis."""
    before = np.minimum(places.astype(np.int64), levels.shape[axis] - 2)
    share: Levels = (places - before).astype(np.float32).reshape((-1, 1) if axis == 0 else (1, -1))
    ones, others = np.take(levels, before, axis), np.take(levels, before + 1, axis)
    return np.asarray(ones + (others - ones) * share, np.float32)


def _halve(levels: Levels) -> Levels:
    return (levels[::2, ::2] + levels[1::2, ::2] + levels[::2, 1::2] + levels[1::2, 1::2]) * np.float32(0.25)


def _blocks(levels: Levels) -> Levels:
    """The whole blocks of a picture, each less its mean: [down, across, BLOCK * BLOCK]."""
    down, across = (extent // BLOCK for extent in levels.shape)
    blocks = levels[: down * BLOCK, : across * BLOCK].reshape(down, BLOCK, across, BLOCK).swapaxes(1, 2)
    flat = blocks.reshape(down, across, BLOCK * BLOCK)
    return np.asarray(flat - flat.mean(-1, keepdims=True), np.float32)
