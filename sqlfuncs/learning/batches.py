"""Batches of fixed shape, so that what is computed of a text depends on that text alone.

Texts are sorted by length and padded to a few widths; every batch of a width has the same
number of rows. Neither a text's neighbours nor the number of threads then change a bit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

Vectors = npt.NDArray[np.float32]
WIDTH_STEP = 16
BATCH_TOKENS = 1024
_CHARACTERS_PER_TOKEN = 20


def shortened(texts: Sequence[str], max_tokens: int) -> list[str]:
    """Texts cut before they are split into tokens, so that a novel costs no more than a page."""
    longest = _CHARACTERS_PER_TOKEN * max_tokens
    return [text[:longest].encode("utf-8", "replace").decode() for text in texts]


def in_batches(
    tokens: Sequence[Sequence[int]], compute: Callable[[Any, Any], Vectors]
) -> Iterator[tuple[list[int], Vectors]]:
    """Batch by batch: positions in `tokens`, and what `compute` gives for them, a row for each.

    `compute` takes token ids and their mask, both torch tensors of shape (rows, width).
    """
    import torch

    for width, places in _by_width(tokens):
        size = max(1, BATCH_TOKENS // width)
        for at in range(0, len(places), size):
            part = places[at : at + size]
            # The last batch is filled up with rows of a single token.
            ids = torch.zeros((size, width), dtype=torch.long)
            mask = torch.zeros((size, width), dtype=torch.long)
            mask[:, 0] = 1
            for row, place in enumerate(part):
                length = len(tokens[place])
                ids[row, :length] = torch.tensor(tokens[place])
                mask[row, :length] = 1
            yield part, compute(ids, mask)[: len(part)]


def _by_width(tokens: Sequence[Sequence[int]]) -> list[tuple[int, list[int]]]:
    """Positions by the width they are padded to."""
    by_width: dict[int, list[int]] = {}
    for place, ids in enumerate(tokens):
        width = max(1, -(-len(ids) // WIDTH_STEP)) * WIDTH_STEP
        by_width.setdefault(width, []).append(place)
    return sorted(by_width.items())


def precision() -> str:
    """The numbers a model is run in: 'bf16' where the processor multiplies in it, else 'fp32'.

    bfloat16 is about twice as fast there; vectors keep a cosine above .999 to those of fp32.
    """
    import torch

    return "bf16" if torch.ops.mkldnn._is_mkldnn_bf16_supported() else "fp32"


def ready(model: Any) -> Any:
    """A torch model, ready to be run in that precision."""
    import torch

    return model.eval().to({"bf16": torch.bfloat16, "fp32": torch.float32}[precision()])
