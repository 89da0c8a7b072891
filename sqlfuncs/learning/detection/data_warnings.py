"""What looks like a mistake in what was asked, though it can be computed: said, not refused."""

from __future__ import annotations

import re
from collections.abc import Sequence
from unicodedata import category

import numpy as np
import pyarrow as pa

from sqlfuncs import work
from sqlfuncs.learning.features import media_type
from sqlfuncs.learning.labels.classes import Codes, if_amounts
from sqlfuncs.learning.models.folds import are_observations, repeated
from sqlfuncs.learning.rows.base import Floats, Reasons, describe, is_usable
from sqlfuncs.learning.rows.probabilities import SUM_TOLERANCE
from sqlfuncs.learning.rows.types import FIELDS, MAP, PROBABILITIES, is_text
from sqlfuncs.wording import Cast, Snippet, some

_MANY_UNUSED = 0.1  # of the rows
_FOR_CERTAIN = 50  # rows whose labels are all predicted: fewer may be easy
_SHOWN = 3
_BLANKS = ("Cc", "Zs", "Zl", "Zp")  # Unicode's categories of control characters and of blanks
_LOOKED_AT = 200  # texts
_SEEN = 1000  # rows
_MOST = 0.8  # of the texts
_MAP = re.compile(r"\{[^{}]+[=:]\s*[-+.\deE]+\s*(,[^{}]+[=:]\s*[-+.\deE]+\s*)*\}")


def about_rows(reasons: Reasons, classes: Sequence[str] = ()) -> None:
    """Say it if many rows were left out, or the labels look like keys."""
    rows = len(reasons)
    unused = rows - int(is_usable(reasons).sum())
    if unused > _MANY_UNUSED * rows:
        work.say_once(
            f"{unused:,} of {rows:,} rows are not judged: {describe(reasons)}"
            + _if_keys(classes, rows)
        )


def _if_keys(classes: Sequence[str], rows: int) -> str:
    if len(classes) <= rows / 4:
        return ""
    return (
        f". The label has {len(classes):,} different values: is it the right column?"
        f"{if_amounts(classes)}"
    )


def about_unseen_tags(names: Sequence[str]) -> None:
    """Say it if nothing can be said of tags, these, because x tells nothing of them.

    >>> about_unseen_tags([])
    """
    if names:
        work.say_once(
            "x tells no more than chance of some tags, of which none is doubted, given or lacking: "
            f"{some([repr(name) for name in names])}"
        )


def are_hard(values: Floats) -> bool:
    """Whether probabilities are all 0 or 1: they tell nothing of how sure a model is.

    >>> are_hard(np.array([1.0, 0.0])), are_hard(np.array([0.9, 0.1])), are_hard(np.array([]))
    (True, False, False)
    """
    return bool(values.size and ((values == 0) | (values == 1)).all())


def about_hard_probabilities() -> None:
    """Say that they are."""
    work.say_once(
        "the probabilities are all 0 or 1: predictions, which do not say how sure they are. Wanted "
        "is how likely each label is, out of sample, by a model that was not trained on the row"
    )


def about_spelling(classes: Sequence[str]) -> None:
    """Say it if labels differ only in case or in blanks, tabs and line ends.

    >>> about_spelling(["bug", "refund"])
    """
    spellings: dict[str, list[str]] = {}
    for name in classes:
        spellings.setdefault(_plainly(name), []).append(name)
    alike = [names for names in spellings.values() if len(names) > 1]
    if alike:
        shown = "; ".join(" and ".join(map(repr, names)) for names in alike[:_SHOWN])
        work.say_once(
            f"some labels differ only in case or blanks, and count as different: {shown}"
            f"{', and others' if len(alike) > _SHOWN else ''}. To make them one: "
            f"{Snippet('labels in one spelling')}"
        )


def _plainly(label: str) -> str:
    """A label as the expression that `about_spelling` advises makes it."""
    letters = (" " if category(letter) in _BLANKS else letter for letter in label.lower())
    return " ".join("".join(letters).split())


def about_probabilities_of_another_type(x: pa.Array, classes: Sequence[str]) -> None:
    """Say it if what is read as fields or as text looks like probabilities of the classes."""
    if pa.types.is_struct(x.type):
        if set(classes) <= {each.name for each in x.type} and _are_shares(x.flatten()):
            work.say_once(
                f"x is a {FIELDS}, read as fields that tell of a row, but its fields are the "
                f"classes and sum to 1. Are they class probabilities? Those are a {MAP}: "
                f"{Cast('x', PROBABILITIES)}"
            )
    elif is_text(x.type):
        texts = x.cast(pa.string()).drop_null()[:_LOOKED_AT].to_pylist()
        if texts and all(_looks_like_a_map(text, classes) for text in texts):
            is_json = '"' in texts[0]
            cast = Snippet("JSON as probabilities") if is_json else Cast("x", PROBABILITIES)
            work.say_once(
                "x is text, read as such, but it looks like class probabilities, as a CSV or JSON "
                f"file has them ({texts[0][:60]}). Those are a {MAP}: {cast}"
            )


def about_paths(rows: Sequence[str]) -> None:
    """Say it if texts are read as such that mostly look like the paths of files."""
    texts = set(filter(None, rows[:_SEEN]))
    paths = [text for text in texts if media_type.ends_like_one(text)]
    if len(paths) > _MOST * len(texts):
        work.say_once(
            f"x is read as text, though most end like the paths of files ('{min(paths)[:60]}'): "
            "what the files hold is judged only where every x is the path of an image"
        )


def _are_shares(fields: Sequence[pa.Array]) -> bool:
    if not all(
        pa.types.is_floating(each.type) or pa.types.is_decimal(each.type) for each in fields
    ):
        return False
    shares = np.column_stack([each.cast(pa.float64()).to_numpy(False) for each in fields])
    shares = shares[np.isfinite(shares).all(axis=1)]
    sums_to_one = np.abs(shares.sum(axis=1) - 1) <= SUM_TOLERANCE
    return bool(len(shares) and sums_to_one.all() and (shares >= 0).all())


def _looks_like_a_map(text: str, classes: Sequence[str]) -> bool:
    is_one = bool(_MAP.fullmatch(text.strip()))
    return is_one and any(name in text for name in classes)


def about_copies(keys: Sequence[bytes], codes: Codes) -> None:
    """Say it if most rows are judged by what other rows of their content are called."""
    copies = int(repeated(keys, codes).sum())
    if are_observations(keys, codes):
        work.say_once(
            f"{copies:,} of {int((codes >= 0).sum()):,} labeled rows have copies: rows equal in x, "
            f"of which there are {len(set(keys)):,} different ones. Such rows are judged by what "
            "their copies are called, and by the model"
        )


def about_agreement(codes: Codes, probs: Floats, *, is_given: bool) -> None:
    """Say it if every label is predicted, by a table with more than a few rows."""
    if len(codes) < _FOR_CERTAIN or (probs.argmax(axis=1) != codes).any():
        return
    if is_given:
        work.say_once(
            "the probabilities agree with every label: are they out of sample, from a model that "
            "was not trained on the row?"
        )
    else:
        work.say_once("the model predicts every label from x: does x contain the label?")
