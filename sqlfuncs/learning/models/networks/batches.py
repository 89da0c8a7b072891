"""The batches that a network learns from: rows by chance, padded to one length. Uses torch."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import torch

_BATCHES_SORTED = 16  # batches whose rows are sorted by length together


def batches(lengths: Sequence[int], size: int, rng: np.random.Generator) -> Iterator[list[int]]:
    """The batches of an epoch in their order: rows by chance, those of a batch of like length."""
    order = rng.permutation(len(lengths))
    span = size * _BATCHES_SORTED
    batches = []
    for at in range(0, len(order), span):
        alike = sorted(order[at : at + span].tolist(), key=lengths.__getitem__)
        batches += [alike[begin : begin + size] for begin in range(0, len(alike), size)]
    yield from (batches[place] for place in rng.permutation(len(batches)))


def padded(rows: Sequence[Sequence[int]]) -> tuple[torch.Tensor, torch.Tensor]:
    """Ids and mask, both (rows, longest)."""
    longest = max(map(len, rows))
    ids = torch.zeros((len(rows), longest), dtype=torch.long)
    mask = torch.zeros_like(ids)
    for place, row in enumerate(rows):
        ids[place, : len(row)] = torch.tensor(row)
        mask[place, : len(row)] = 1
    return ids, mask
