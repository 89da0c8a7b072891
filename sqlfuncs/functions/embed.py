"""`embed(text, model := 'minilm')`: the meaning of a text as a vector."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from sqlfuncs.errors import BadInput
from sqlfuncs.functions.spec import ScalarFunction
from sqlfuncs.learning.encoders import encoders
from sqlfuncs.learning.rows.base import is_usable
from sqlfuncs.learning.rows.text import Texts
from sqlfuncs.wording import TypeName


def embed(text: pa.Array, *, model: str = "minilm") -> pa.Array:
    """The meaning of a text as a vector: FLOAT[], from 'minilm' 384 numbers, of length 1.

    NULL and blank texts give NULL. Each distinct text is computed once and kept on disk.
    `model` is 'minilm' (all-MiniLM-L6-v2, 256 tokens are read), 'smollm2' (the middle layers of
    a small language model), the id of a model of the Hugging Face hub or the path of a folder
    that holds one. It needs the extra `local`.
    """
    by = encoders.encoder(model)
    if not Texts.is_type(text.type):
        raise BadInput(f"embed takes {Texts.example}, not {TypeName(text.type)}.")
    rows = Texts.read(text)
    usable = is_usable(rows.reasons)
    texts = [rows.values[row] for row in np.flatnonzero(usable)]
    vectors = by.meaning(encoders.encode(by, texts))
    offsets = np.concatenate([[0], np.cumsum(usable) * vectors.shape[1]]).astype(np.int32)
    return pa.ListArray.from_arrays(
        pa.array(offsets), pa.array(vectors.ravel(), pa.float32()), mask=pa.array(~usable)
    )


FUNCTION = ScalarFunction(
    name="embed", compute=embed, inputs=("text",), returns=pa.list_(pa.float32())
)
