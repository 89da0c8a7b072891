"""What heads see of an image: its shapes, and its light and colours."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from sqlfuncs.learning.features import heads, image_reader
from sqlfuncs.learning.features.attributions import Named
from sqlfuncs.learning.features.heads import Head
from sqlfuncs.learning.labels.classes import Codes

_INVERSE_PENALTY = 2.0  # how freely a head may fit a view: scikit-learn's C
Vectors = npt.NDArray[np.float32]


@dataclass(frozen=True)
class ImageFeatures:
    """Two views of the built-in features, or one of an encoder's vectors."""

    view_names: tuple[str, ...]

    def attributions(
        self, heads: Sequence[Head], views: Sequence[Any], pro: Codes, contra: Codes
    ) -> list[Named]:
        """Nothing of an image has a name."""
        return [[] for _ in pro]

    @classmethod
    def of_built_in(cls, values: Vectors) -> tuple[ImageFeatures, list[Any]]:
        """From built-in features (rows, `image_reader.FEATURES`), and their views."""
        shapes, colours = np.split(values, [image_reader.SHAPE_FEATURES], axis=1)
        return cls(("shapes", "colours")), [_scaled(shapes), _scaled(colours)]

    @classmethod
    def of_encoder(cls, vectors: Vectors) -> tuple[ImageFeatures, list[Any]]:
        """From what an encoder says, (rows, dimensions), and its view."""
        return cls(("encoder",)), [_scaled(vectors)]

    def fit_head(self, place: int, view: Any, codes: Codes, n_classes: int) -> Head:
        """Train a linear head on one of the views."""
        return heads.fit(view, codes, n_classes, _INVERSE_PENALTY)


def _scaled(vectors: Vectors) -> Vectors:
    """Centred, and to a mean square length of 1."""
    centred = vectors - vectors.mean(axis=0, dtype=np.float64)
    length = float(np.sqrt((centred**2).sum(axis=1).mean()))
    scaled: Vectors = (centred / (length or 1.0)).astype(np.float32)
    return scaled
