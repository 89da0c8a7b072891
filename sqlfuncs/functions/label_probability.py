"""Internal: the probability of a label whose class is spelt, or typed, in another way."""

from __future__ import annotations

from collections.abc import Mapping

import pyarrow as pa

from sqlfuncs.functions.spec import ScalarFunction
from sqlfuncs.learning.labels.labels import form_of


def label_probability(
    values: pa.Array, keys: pa.Array, keys_kind: pa.Array, label: pa.Array, kind: pa.Array
) -> pa.Array:
    """The probability of each label; NULL where a map has no class of it, or more than one.

    `values` are lists of probabilities, `keys` lists of their classes, each a struct with its text
    and that text as a time without and with a zone, as `label` is.
    """
    found: list[float | None] = []
    columns = (values, keys, keys_kind, label, kind)
    for shares, classes, of_keys, given, own in zip(*(c.to_pylist() for c in columns), strict=True):
        if shares is None or given["text"] is None:
            found.append(None)
            continue
        wanted = _form(given, own, of_keys)
        same = [
            share
            for share, each in zip(shares, classes, strict=True)
            if _form(each, of_keys, own) == wanted
        ]
        found.append(same[0] if len(same) == 1 else None)
    return pa.array(found, pa.float64())


def _form(value: Mapping[str, str | None], own: str, other: str) -> str | None:
    return form_of(value["text"], own, (own, other), value["moment"], value["instant"])


FUNCTION = ScalarFunction(
    name="_label_probability",
    compute=label_probability,
    inputs=("values", "keys", "keys_kind", "label", "kind"),
    returns=pa.float64(),
)
