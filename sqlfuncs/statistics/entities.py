"""Entities in labels of words, and how well predicted ones agree with the true ones.

As conlleval counts them (Tjong Kim Sang, Buchholz: Introduction to the CoNLL-2000 Shared Task:
Chunking, section 4), and seqeval by default: an entity is right if its type and its bounds are.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sqlfuncs.statistics.evaluation import ClassCounts, Counts, ordered

Entity = tuple[str, int, int]  # its type, its first word and the one after its last

_OUTSIDE = "O"
_PREFIXES = "BIES"


def entities(labels: Sequence[str]) -> set[Entity]:
    """The entities of a sentence, by its labels: IOB1, IOB2, IOBES or IO.

    What has no prefix is a type: words beside each other that have one are an entity.

    >>> sorted(entities(["B-PER", "I-PER", "B-PER", "O", "I-LOC"]))
    [('LOC', 4, 5), ('PER', 0, 2), ('PER', 2, 3)]
    >>> sorted(entities(["PER", "PER", "LOC", "O"]))
    [('LOC', 2, 3), ('PER', 0, 2)]
    """
    found = set[Entity]()
    begun, prefix, kind = 0, _OUTSIDE, ""
    for place, label in enumerate([*labels, _OUTSIDE]):
        before, of_before = prefix, kind
        prefix, kind = split(label)
        begins = prefix != _OUTSIDE and (
            prefix in "BS" or before in ("E", "S", _OUTSIDE) or kind != of_before
        )
        if before != _OUTSIDE and (begins or prefix == _OUTSIDE):
            found.add((of_before, begun, place))
        if begins:
            begun = place
    return found


def counts(
    actual: Sequence[Sequence[str]], predicted: Sequence[Sequence[str]], count: Counts
) -> ClassCounts:
    """The counts of each type, from labels of sentences, each of them in `count` rows.

    >>> found = counts([["B-A", "O", "B-B"]], [["B-A", "B-A", "O"]], np.array([2]))
    >>> found.names, found.support.tolist(), found.predicted.tolist(), found.hits.tolist()
    (('A', 'B'), [2, 2], [4, 0], [2, 0])
    """
    true, said = [entities(each) for each in actual], [entities(each) for each in predicted]
    names = ordered({kind for each in (*true, *said) for kind, _, _ in each})
    place = {name: at for at, name in enumerate(names)}

    def total(sets: Sequence[set[Entity]]) -> Counts:
        summed = np.zeros(len(names), dtype=np.int64)
        for own, times in zip(sets, count.tolist(), strict=True):
            for kind, _, _ in own:
                summed[place[kind]] += times
        return summed

    both = [one & other for one, other in zip(true, said, strict=True)]
    return ClassCounts(names, total(true), total(said), total(both))


def micro(found: ClassCounts) -> dict[str, float]:
    """`precision`, `recall` and `f1` of all types together; 0 without a case."""
    hits, said, support = (int(each.sum()) for each in (found.hits, found.predicted, found.support))
    return {
        "precision": hits / max(said, 1),
        "recall": hits / max(support, 1),
        "f1": 2 * hits / max(said + support, 1),
    }


def entity_type(label: str) -> str:
    """The type of entity that a label is of; empty for one outside of all.

    >>> entity_type("B-PER"), entity_type("NOUN"), entity_type("O")
    ('PER', 'NOUN', '')
    """
    return split(label)[1]


def split(label: str) -> tuple[str, str]:
    """The prefix of a label, and the type.

    >>> split("B-PER"), split("NOUN"), split("O")
    (('B', 'PER'), ('I', 'NOUN'), ('O', ''))
    """
    if label == _OUTSIDE:
        return _OUTSIDE, ""
    prefix, dash, kind = label.partition("-")
    return (prefix, kind) if dash and len(prefix) == 1 and prefix in _PREFIXES else ("I", label)
