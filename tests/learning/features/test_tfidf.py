from __future__ import annotations

import numpy as np
import pytest

from sqlfuncs import work
from sqlfuncs.errors import Cancelled
from sqlfuncs.learning.features import tfidf
from sqlfuncs.learning.features.tfidf import TfIdf

TEXTS = [
    "Where is my parcel?",
    "where is my money",
    "🎈🎈 party",
    "nul \0 in it",
    "half \ud83c of it",
    "!",
    "x" * 5000,
    "ÄÖÜ ß ﬁ İ",
    "日本語のテキスト",
    "a",
    'quote " and \\ backslash',
]


def test_the_features_of_the_texts_are_those_learned() -> None:
    learned, features = TfIdf.learn(TEXTS)
    again = learned.features(TEXTS)
    assert features.dtype == again.dtype == np.float32
    assert features.shape == again.shape == (len(TEXTS), sum(map(len, learned.terms)))
    assert (features != again).nnz == 0


def test_what_is_stored_gives_the_same_bits() -> None:
    learned, _ = TfIdf.learn(TEXTS * 8)
    restored = TfIdf.from_json(learned.to_json(), learned.weights)
    assert restored.terms == learned.terms
    unseen = ["my party parcel", "nothing of this", "", "日本"]
    one, other = learned.features(unseen), restored.features(unseen)
    assert (one != other).nnz == 0
    assert one.indices.tolist() == other.indices.tolist()


def test_case_is_ignored_and_punctuation_is_not() -> None:
    learned, features = TfIdf.learn(["Please help", "please help", "please help!"])
    assert "!" in learned.terms[0]
    assert (features[0] != features[1]).nnz == 0
    assert (features[1] != features[2]).nnz > 0


def test_each_kind_is_of_length_one() -> None:
    learned, features = TfIdf.learn(TEXTS)
    words = features[:, : len(learned.terms[0])]
    lengths = np.sqrt(np.asarray(words.multiply(words).sum(axis=1)).ravel())
    assert lengths == pytest.approx(np.ones(len(TEXTS)), abs=1e-5)


def test_rare_terms_are_left_out_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tfidf, "MAX_TERMS", 3)
    learned, _ = TfIdf.learn(["apple pear", "apple pear", "apple fig", "grape"])
    assert set(learned.terms[0]) >= {"apple", "pear"}
    assert all(len(terms) == 3 for terms in learned.terms)


def test_a_term_of_a_single_text_counts_only_among_few_texts() -> None:
    few, _ = TfIdf.learn(["common"] * 10 + ["rarity"])
    many, _ = TfIdf.learn(["common"] * 60 + ["rarity"])
    assert "rarity" in few.terms[0]
    assert "rarity" not in many.terms[0]


@pytest.mark.parametrize("count", [49, 50, 200])
def test_texts_that_share_no_term(count: int) -> None:
    # Codes, or one word each: no term stands in two texts.
    texts = [chr(0x4E00 + at) for at in range(count)]
    learned, features = TfIdf.learn(texts)
    assert features.shape[0] == count
    assert learned.features(texts).shape == features.shape


def test_it_can_be_stopped() -> None:
    work.stop()
    with pytest.raises(Cancelled):
        TfIdf.learn(TEXTS)
