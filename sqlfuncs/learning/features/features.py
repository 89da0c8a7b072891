"""What the heads of a model see of a row: its views, each a matrix with a row per row.

An embedding is its own view; those of a text are in `text_views`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from sqlfuncs.errors import BadInput, DamagedModel
from sqlfuncs.learning.encoders import encoders
from sqlfuncs.learning.encoders.encoders import Encoder
from sqlfuncs.learning.features import heads
from sqlfuncs.learning.features.attributions import Named, of_words
from sqlfuncs.learning.features.heads import Head, RowWeights
from sqlfuncs.learning.features.scaling import Scaling, VarianceWeighting
from sqlfuncs.learning.features.text_views import TextView, text_views
from sqlfuncs.learning.features.tfidf import TfIdf
from sqlfuncs.learning.labels.classes import Codes

if TYPE_CHECKING:
    from sqlfuncs.learning.rows.base import Rows

Vectors = npt.NDArray[np.float32]
Arrays = Mapping[str, npt.NDArray[np.float32]]
# How freely a head may fit an embedding: scikit-learn's C, for rows of a mean square length of 1.
_INVERSE_PENALTY = 2.0


@dataclass(frozen=True)
class TextFeatures:
    """Features of texts: TF-IDF, and what encoders say.

    `scalings` has one for each part of that, `weightings` one for each view that goes by variance.
    """

    tfidf: TfIdf
    encoders: tuple[Encoder, ...]
    scalings: tuple[Scaling, ...]
    weightings: tuple[VarianceWeighting, ...]

    def fit_head(
        self,
        place: int,
        view: Any,
        codes: Codes,
        n_classes: int,
        weights: RowWeights | None = None,
    ) -> Head:
        """Train a linear head on one of the views."""
        inverse_penalty = self._recipe[place].inverse_penalty_among(n_classes)
        return heads.fit(view, codes, n_classes, inverse_penalty, weights)

    @classmethod
    def learn(cls, texts: Sequence[str], model: str) -> tuple[TextFeatures, list[Any]]:
        """The features of some texts, and their views. `model` is as for `encoders.for_model`."""
        by = encoders.for_model(model)
        parts = _parts(by, texts)
        tfidf, words = TfIdf.learn(texts)
        scalings = tuple(Scaling.learn(part) for part in parts)
        weightings = tuple(
            VarianceWeighting.learn(scalings[part](parts[part]))
            for view in text_views(by)
            if view.goes_by_variance
            for part in view.parts
        )
        learned = cls(tfidf, by, scalings, weightings)
        return learned, learned._views(words, parts)

    def views(self, rows: Rows) -> list[Any]:
        """The views of other texts."""
        texts = rows.texts
        if texts is None:
            raise BadInput(f"the model was trained on text; it cannot read {rows.called}.")
        return self._views(self.tfidf.features(texts), _parts(self.encoders, texts))

    def _views(self, words: Any, parts: Sequence[Vectors]) -> list[Any]:
        scaled = [scaling(part) for scaling, part in zip(self.scalings, parts, strict=True)]
        weightings = iter(self.weightings)
        views = [words]
        for view in self._recipe[1:]:
            seen = scaled[view.parts[0]]
            if len(view.parts) > 1:
                seen = np.hstack([scaled[part] for part in view.parts])
            views.append(next(weightings)(seen) if view.goes_by_variance else seen)
        return views

    @cached_property
    def _recipe(self) -> tuple[TextView, ...]:
        return text_views(self.encoders)

    @property
    def view_names(self) -> tuple[str, ...]:
        """What each view is of a text."""
        return tuple(view.name for view in self._recipe)

    def attributions(
        self, heads: Sequence[Head], views: Sequence[Any], pro: Codes, contra: Codes
    ) -> list[Named]:
        """Which words speak for a class, and which for another. See `attributions.of_words`."""
        return of_words(heads[0], views[0], self.tfidf.terms[0], pro, contra)

    @property
    def count(self) -> int:
        """How many views there are."""
        return len(self._recipe)

    def state(self) -> tuple[dict[str, bytes], dict[str, npt.NDArray[np.float32]]]:
        """Files and arrays from which `restore` makes it again."""
        arrays = {f"idf.{at}": weights for at, weights in enumerate(self.tfidf.weights)}
        for at, scaling in enumerate(self.scalings):
            arrays |= {f"centre.{at}": scaling.centre, f"scale.{at}": scaling.scale}
        for at, weighting in enumerate(self.weightings):
            arrays[f"weighting.{at}"] = weighting.matrix
        by = [[encoder.name, encoder.digest, encoder.parts] for encoder in self.encoders]
        return {
            "terms.json": self.tfidf.to_json(),
            "encoders.json": json.dumps(by).encode(),
        }, arrays


@dataclass(frozen=True)
class VectorFeatures:
    """Features of embeddings: centred, and scaled to a mean square length of 1."""

    centre: npt.NDArray[np.float32]
    scale: float
    count = 1  # of views
    view_names = ("embedding",)

    def attributions(
        self, heads: Sequence[Head], views: Sequence[Any], pro: Codes, contra: Codes
    ) -> list[Named]:
        """Nothing of an embedding has a name."""
        return [[] for _ in pro]

    def fit_head(
        self,
        place: int,
        view: Any,
        codes: Codes,
        n_classes: int,
        weights: RowWeights | None = None,
    ) -> Head:
        """Train a linear head on the view."""
        return heads.fit(view, codes, n_classes, _INVERSE_PENALTY, weights)

    @classmethod
    def learn(cls, vectors: npt.NDArray[np.floating[Any]]) -> tuple[VectorFeatures, list[Any]]:
        """The features of some vectors, and their view."""
        centre = vectors.mean(axis=0, dtype=np.float64).astype(np.float32)
        view = cls(centre, 1.0)._view(vectors)
        length = np.sqrt(np.einsum("ij,ij->i", view, view).mean(dtype=np.float64))
        scale = np.float32(1 / length if length > 0 else 1)  # as it will be stored
        view *= scale
        return cls(centre, float(scale)), [view]

    def views(self, rows: Rows) -> list[Any]:
        """The view of other vectors."""
        vectors = rows.embeddings
        if vectors is None:
            raise BadInput(f"the model was trained on embeddings; it cannot read {rows.called}.")
        usable = vectors.any()  # rows that are not are zero
        if usable and vectors.shape[1] != len(self.centre):
            raise BadInput(
                f"the model was trained on embeddings of {len(self.centre)} dimensions; these "
                f"have {vectors.shape[1]}."
            )
        return [self._view(vectors if usable else np.zeros((len(vectors), len(self.centre))))]

    def _view(self, vectors: npt.NDArray[np.floating[Any]]) -> Vectors:
        view: Vectors = (vectors - self.centre).astype(np.float32, copy=False)
        view *= np.float32(self.scale)
        return view

    def state(self) -> tuple[dict[str, bytes], dict[str, npt.NDArray[np.float32]]]:
        """Files and arrays from which `restore` makes it again."""
        return {}, {"centre": self.centre, "scale": np.array([self.scale], dtype=np.float32)}


Features = TextFeatures | VectorFeatures  # those that can be stored


def restore(files: Mapping[str, bytes], arrays: Arrays) -> Features:
    """Features from what `state` gave."""
    if "terms.json" not in files:
        return VectorFeatures(arrays["centre"], float(arrays["scale"][0]))
    weights = [arrays[f"idf.{at}"] for at in range(2)]
    by = tuple(_same_encoder(*known) for known in json.loads(files["encoders.json"]))
    count = sum(encoder.parts for encoder in by)
    scalings = tuple(Scaling(arrays[f"centre.{at}"], arrays[f"scale.{at}"]) for at in range(count))
    weightings = tuple(
        VarianceWeighting(arrays[name])
        for name in (f"weighting.{at}" for at in range(count))
        if name in arrays  # earlier versions had none; what counts heads notices
    )
    return TextFeatures(TfIdf.from_json(files["terms.json"], weights), by, scalings, weightings)


def _same_encoder(name: str, digest: str, parts: int = 0) -> Encoder:
    found = encoders.encoder(name)
    if found.parts > parts == 1:  # `best` reads the middle layers alone
        found = encoders.encoder(name, is_middle=True)
    if found.parts != parts:
        raise DamagedModel(
            f"the model reads texts with {name} in another way than this version of sqlfuncs. "
            "Train it again."
        )
    if found.digest != digest:
        raise DamagedModel(
            f"the model reads texts with {name}, whose weights here are others than those it was "
            "trained with. Train it again."
        )
    return found


def _parts(by: Sequence[Encoder], texts: Sequence[str]) -> list[Vectors]:
    """What encoders say of texts, their parts apart."""
    return [part for encoder in by for part in encoder.split(encoders.encode(encoder, texts))]
