"""Batches of texts of one length, so that what is computed of a text depends on that text alone.

Nothing is padded, so no work is wasted on nothing. Neither a text's neighbours nor the number
of threads change a bit: each batch runs on one thread, as many batches at once as torch may
use threads, and the kernels that torch takes give a row of a product the same bits among any
rows, if these are not very few.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cache
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from sqlfuncs import work

Vectors = npt.NDArray[np.float32]
_Place = TypeVar("_Place")
_Result = TypeVar("_Result")
# In the keys under which vectors are kept: another number makes other bits.
WAY = 2
BATCH_TOKENS = 1024
_FEWEST_TOKENS = 16  # below, products take other kernels
_CHARACTERS_PER_TOKEN = 20
_TEXTS = 1000  # that are split into tokens between two looks for Ctrl-C


def tokenized(
    tokenizer: Any, texts: Sequence[str], max_tokens: int, **how: bool
) -> list[list[int]]:
    """The ids of each text's tokens, at most so many. Raises Cancelled.

    `how` is for the tokenizer. A text is cut before it is split, so that a novel costs no more
    than a page.
    """
    longest = _CHARACTERS_PER_TOKEN * max_tokens
    found: list[list[int]] = []
    for start in range(0, len(texts), _TEXTS):
        work.check()
        part = texts[start : start + _TEXTS]
        cut = [text[:longest].encode("utf-8", "replace").decode() for text in part]
        found += tokenizer(cut, truncation=True, max_length=max_tokens, **how)["input_ids"]
    return found


def in_batches(
    tokens: Sequence[Sequence[int]], compute: Callable[[Any], Vectors]
) -> Iterator[tuple[list[int], Vectors]]:
    """Batch by batch: positions in `tokens`, and what `compute` gives for them, a row for each.

    `compute` takes token ids, a torch tensor of shape (rows, length). The longest come first.
    A text without any is read as token 0.
    """
    import torch

    tokens = [ids or [0] for ids in tokens]

    def run(part: list[int]) -> Vectors:
        rows = [tokens[place] for place in part]
        copies = -(-_FEWEST_TOKENS // (len(rows) * len(rows[0])))
        with torch.inference_mode():
            return compute(torch.tensor(rows * copies))[: len(part)]

    workers = threads()
    pool = ThreadPoolExecutor(workers, initializer=torch.set_num_threads, initargs=(1,))
    try:
        parts = by_length(tokens, BATCH_TOKENS)
        yield from in_turn(((part, pool.submit(run, part)) for part in parts), workers)
    finally:
        pool.shutdown(cancel_futures=True)


def in_turn(
    submitted: Iterable[tuple[_Place, Future[_Result]]], ahead: int
) -> Iterator[tuple[_Place, _Result]]:
    """What was submitted, in that order; `ahead` of what is given are under way behind it.

    Raises what the work raises.
    """
    running: deque[tuple[_Place, Future[_Result]]] = deque()
    for each in submitted:
        running.append(each)
        if len(running) > ahead:
            place, future = running.popleft()
            yield place, future.result()
    for place, future in running:
        yield place, future.result()


@cache
def threads() -> int:
    """As many as torch may use: asked once, for the workers of `in_batches` tell it to use one."""
    import torch

    return torch.get_num_threads()


def by_length(tokens: Sequence[Sequence[int]], at_most: int) -> Iterator[list[int]]:
    """Positions of texts of equal numbers of tokens, the longest first; up to `at_most` tokens."""
    places_of: dict[int, list[int]] = {}
    for place, ids in enumerate(tokens):
        places_of.setdefault(len(ids), []).append(place)
    for length, places in sorted(places_of.items(), reverse=True):
        size = max(1, at_most // length)
        for at in range(0, len(places), size):
            yield places[at : at + size]
