"""Rows that are images: the bytes of image files, or the paths of some."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from sqlfuncs import work
from sqlfuncs.errors import BadInput
from sqlfuncs.learning.encoders import encoders
from sqlfuncs.learning.features import image_reader, media_type
from sqlfuncs.learning.features.image_features import ImageFeatures
from sqlfuncs.learning.rows.base import AVERAGES, Chosen, Reasons, Rows, Vectors
from sqlfuncs.learning.rows.types import is_text, without_dictionary
from sqlfuncs.wording import Snippet, TypeName, Words


@dataclass(frozen=True)
class Images(Rows):
    """Images, each the bytes of an image file or the path of one.

    `values` (rows, features) are the built-in features (`image_reader.features_of`), `keys` digests
    of the pixels that they were computed from.
    """

    kind = "image"
    called = "images"
    example = Words("an image (", TypeName(pa.binary()), ")")

    sources: tuple[bytes | str | None, ...]
    keys: tuple[bytes, ...]
    values: Vectors
    reasons: Reasons

    @classmethod
    def is_type(cls, of: pa.DataType) -> bool:
        """Bytes."""
        return bool(pa.types.is_binary(of) or pa.types.is_large_binary(of))

    @classmethod
    def is_column(cls, x: pa.Array) -> bool:
        """Bytes, or text that names image files: every value ends like one, one exists.

        Raises BadInput if every value ends like one and none exists, or like files of other media.
        """
        return cls.is_type(x.type) or (is_text(x.type) and _are_paths(without_dictionary(x)))

    @classmethod
    def read(cls, x: pa.Array) -> Images:
        """The images of a column; those that cannot be decoded cannot be used."""
        reasons = np.full(len(x), None, dtype=object)
        values = np.zeros((len(x), image_reader.FEATURES), dtype=np.float32)
        sources = tuple(without_dictionary(x).to_pylist())
        keys = [b""] * len(x)
        with work.task("reading images", len(x)) as task:
            for row, source in enumerate(sources):
                try:
                    pixels = image_reader.pixels(image_reader.decode(source, image_reader.SIDE))
                    values[row] = image_reader.features_of(pixels)
                    keys[row] = sha256(pixels.tobytes()).digest()
                except image_reader.Unreadable as why:
                    reasons[row] = str(why)
                task.advance()
        return cls(sources, tuple(keys), values, reasons)

    def chosen(self, places: Chosen) -> Images:
        """Some of the rows."""
        return Images(
            tuple(self.sources[place] for place in places),
            tuple(self.keys[place] for place in places),
            self.values[places],
            self.reasons[places],
        )

    def digests(self) -> list[bytes]:
        """Of their pixels, made small."""
        return list(self.keys)

    def features(self, model: str) -> tuple[ImageFeatures, list[Any]]:
        """The built-in ones, or what an encoder says."""
        if model in AVERAGES:
            return ImageFeatures.of_built_in(self.values)
        return ImageFeatures.of_encoder(
            image_reader.encoded(self.sources, encoders.of_images(model))
        )


def _are_paths(x: pa.Array) -> bool:
    distinct = pc.drop_null(x).unique().to_pylist()
    if not distinct or not all(value.lower().endswith(media_type.IMAGES) for value in distinct):
        other = media_type.of_paths(distinct) if distinct else None
        if other is not None:
            raise BadInput(
                f"every x ends like the path of {other} ('{min(distinct)}'), which is not "
                "understood yet: text, embeddings, fields, images and class probabilities are. "
                f"Give an embedding of each ({TypeName(pa.list_(pa.float32()))}) or, where the "
                f"name is the text, {Snippet('a name as a text')}."
            )
        return False
    if any(image_reader.is_file(value) for value in distinct):
        work.say_once("x is read as the paths of image files")
        return True
    raise BadInput(
        f"every x ends like the path of an image ('{min(distinct)}'), but not one of these files "
        f"exists, seen from {Path.cwd()}. Give whole paths or, where it is text, x || ' '."
    )
