"""Models as fine_tune keeps them: what their files are made into again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from sqlfuncs.learning.models import cross_fitted
from sqlfuncs.learning.models.cross_fitted import CrossFitted
from sqlfuncs.learning.models.fast import FastModel
from sqlfuncs.learning.models.networks.model import RECIPE, NetworkModel
from sqlfuncs.learning.models.networks.word_network import WordNetwork
from sqlfuncs.learning.models.word_model import WordModel
from sqlfuncs.learning.rows.base import Floats, Rows


class Model(Protocol):
    """A trained model."""

    def predict(self, rows: Rows) -> Floats:
        """What it says of rows: (rows, width), or of words (words, width)."""


def of_rows(classes: tuple[str, ...], files: Mapping[str, bytes]) -> Model:
    """One that says something of each row. Raises DamagedModel."""
    if RECIPE in files:
        return NetworkModel.from_files(files, len(classes) or 1)
    if cross_fitted.ABOUT in files:  # of a judge that label_issues has kept
        return CrossFitted.from_files(files)
    return FastModel.from_files(files)


def of_words(classes: tuple[str, ...], files: Mapping[str, bytes]) -> Model:
    """One that says something of each word. Raises MissingExtra, DamagedModel."""
    if RECIPE in files:
        return WordNetwork(NetworkModel.from_files(files, len(classes)))
    return WordModel.from_files(files)
