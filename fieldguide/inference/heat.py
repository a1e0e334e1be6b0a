"""What a network looked at: what each place of a photo adds to the logit of a taxon.

The same arithmetic runs in the browser (web/heat.js); change both or neither.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from fieldguide.errors import ExportError
from fieldguide.images.geometry import Layout, place

TOLERANCE = 1e-3
"""How far the sum over all places may be from the logit: rounding alone."""


NO_MAP = (
    "this network has no exact heat map; expected one that ends in the mean of a feature map and a linear classifier, "
    "as mobilenetv2, efficientnet and resnet do"
)


@dataclass(frozen=True)
class ClassMaps:
    """The end of a network whose logits are a linear function of the mean over a feature map's places."""

    features: Callable[[np.ndarray], np.ndarray]
    """From inputs float32 [n, 3, S, S] to feature maps float32 [n, dim, h, w]."""
    weight: np.ndarray
    """Of the classifier, float32 [dim, num_outputs]."""
    bias: np.ndarray
    """float32 [num_outputs]."""

    def map_output(self, image: np.ndarray, logits: np.ndarray, output: int) -> np.ndarray:
        """What each place of `image`, float32 [1, 3, S, S], adds to a logit: float32 [h, w].

        Their sum and the bias are `logits[output]`. Raises ExportError where they are not: something stands between
        the feature map and the classifier, so that no map is exact (class activation maps, Zhou et al., CVPR 2016).
        """
        features = self.features(image)
        if features.ndim != 4 or features.shape[1] != len(self.weight):
            raise ExportError(NO_MAP)
        found: np.ndarray = np.tensordot(self.weight[:, output], features[0], 1) / features[0, 0].size
        if not abs(float(found.sum()) + self.bias[output] - logits[output]) <= TOLERANCE * max(1, abs(logits[output])):
            raise ExportError(NO_MAP)
        return found.astype(np.float32)


def lay_on_photo(found: np.ndarray, width: int, height: int, layout: Layout) -> np.ndarray:
    """A map of the square, float32 [h, w], as one of the photo, float32 [height, width], without the square's padding.

    Between the centres of its places it is bilinear, beyond the outermost constant; 0 where the square shows nothing
    of the photo.
    """
    placement = place(width, height, layout)
    (left, top, right, bottom), (start, upper, end, lower) = placement.source, placement.target
    across = _weigh(width, (left, right), (start, end), layout.size, found.shape[1])
    down = _weigh(height, (top, bottom), (upper, lower), layout.size, found.shape[0])
    laid: np.ndarray = (down @ found.astype(np.float64) @ across.T).astype(np.float32)
    return laid


def _weigh(length: int, source: tuple[int, int], target: tuple[int, int], side: int, num_places: int) -> np.ndarray:
    """How much of each of `num_places` along one axis is in each px of a photo's: float64 [length, num_places]."""
    center = np.arange(length) + 0.5
    in_square = target[0] + (center - source[0]) * (target[1] - target[0]) / (source[1] - source[0])
    at = np.clip(in_square / side * num_places - 0.5, 0, num_places - 1)
    low = np.floor(at).astype(int)
    high = np.minimum(low + 1, num_places - 1)
    weights = np.zeros((length, num_places))
    rows = np.arange(length)
    weights[rows, low] += 1 - (at - low)
    weights[rows, high] += at - low
    weights[(center < source[0]) | (center >= source[1])] = 0
    return weights
