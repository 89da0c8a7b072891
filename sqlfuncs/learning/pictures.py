"""What heads see of an image: its shapes, and its light and colours."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from sqlfuncs.learning import heads, images
from sqlfuncs.learning.classes import Codes
from sqlfuncs.learning.heads import Head
from sqlfuncs.learning.inputs import Images

_FREEDOM = 2.0  # how freely a head may fit a view: scikit-learn's C


@dataclass(frozen=True)
class ImageFeatures:
    """Two views of the built-in features, or one of an encoder's vectors."""

    @classmethod
    def learn(
        cls, rows: Images, encoder: images.Encoder | None = None
    ) -> tuple[ImageFeatures, list[Any]]:
        """The features of some images, and their views."""
        vectors = images.vectors(rows, encoder)
        if encoder is not None:
            return cls(), [_scaled(vectors)]
        shapes, colours = np.split(vectors, [images.SHAPE_FEATURES], axis=1)
        return cls(), [_scaled(shapes), _scaled(colours)]

    def fit_head(self, place: int, view: Any, codes: Codes, n_classes: int) -> Head:
        """Train a linear head on one of the views."""
        return heads.fit(view, codes, n_classes, _FREEDOM)


def _scaled(vectors: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Centred, and to a mean square length of 1."""
    centred = vectors - vectors.mean(axis=0, dtype=np.float64)
    length = float(np.sqrt((centred**2).sum(axis=1).mean()))
    scaled: npt.NDArray[np.float32] = (centred / (length or 1.0)).astype(np.float32)
    return scaled
