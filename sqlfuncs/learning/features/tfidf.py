"""TF-IDF of words and characters: what a text says, in its own words."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from sqlfuncs import work

Weights = npt.NDArray[np.float32]
KINDS: tuple[Mapping[str, Any], ...] = (
    {"analyzer": "word", "ngram_range": (1, 2), "token_pattern": r"(?u)\w+|[^\w\s]"},
    {"analyzer": "char_wb", "ngram_range": (3, 3)},
)
MAX_TERMS = 50_000  # of each kind; the rarest are left out first


@dataclass(frozen=True)
class TfIdf:
    """Words of one and two, and characters in threes, weighted by how rare they are.

    `terms` and `weights` hold, for each of the kinds, the terms in order and their inverse
    document frequencies.
    """

    terms: tuple[tuple[str, ...], ...]
    weights: tuple[Weights, ...]

    @classmethod
    def learn(cls, texts: Sequence[str]) -> tuple[TfIdf, Any]:
        """The terms of some texts, and their features: sparse (texts, terms).

        >>> learned, features = TfIdf.learn(["a cat", "a dog"])
        >>> features.shape == learned.features(["a cat", "a dog"]).shape
        True
        """
        from scipy.sparse import hstack

        terms, weights, matrices = [], [], []
        for kind in KINDS:
            work.check()
            # A term of a single text tells nothing about others, unless there are few texts, or
            # no two have a term in common.
            vectorizer = _vectorizer(kind, min_df=2 if len(texts) >= 50 else 1)
            try:
                matrices.append(vectorizer.fit_transform(work.checked(texts)))
            except ValueError:
                vectorizer = _vectorizer(kind, min_df=1)
                matrices.append(vectorizer.fit_transform(work.checked(texts)))
            terms.append(tuple(vectorizer.get_feature_names_out()))
            weights.append(vectorizer.idf_.astype(np.float32))
        return cls(tuple(terms), tuple(weights)), hstack(matrices).tocsr()

    def features(self, texts: Sequence[str]) -> Any:
        """The features of other texts by the same terms: sparse (texts, terms)."""
        from scipy.sparse import hstack

        matrices = []
        for kind, terms, weights in zip(KINDS, self.terms, self.weights, strict=True):
            vectorizer = _vectorizer(kind, vocabulary={t: at for at, t in enumerate(terms)})
            vectorizer.idf_ = weights
            matrices.append(vectorizer.transform(work.checked(texts)))
        return hstack(matrices).tocsr()

    def to_json(self) -> bytes:
        """The terms as JSON; the weights are stored beside it."""
        return json.dumps(self.terms).encode()

    @classmethod
    def from_json(cls, text: bytes, weights: Sequence[Weights]) -> TfIdf:
        """What `to_json` wrote."""
        return cls(tuple(tuple(terms) for terms in json.loads(text)), tuple(weights))


def _vectorizer(kind: Mapping[str, Any], **more: Any) -> Any:
    work.ready("sklearn.feature_extraction.text")
    from sklearn.feature_extraction.text import TfidfVectorizer

    return TfidfVectorizer(
        sublinear_tf=True, max_features=MAX_TERMS, dtype=np.float32, **kind, **more
    )
