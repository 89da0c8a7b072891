"""How likely each label is as the answer of a causal language model, in one pass over a text.

Uses torch when called. What stands before every text is read once for each model; all labels of
a text are scored in the pass that reads it, each blind to the others.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import Any

Tokens = list[int]


@dataclass(frozen=True)
class Frame:
    """The tokens around a text, and those of each label after it, with the end of the turn.

    `_caches` holds, for each model that has read it, keys and values of each layer for what
    stands before the text.
    """

    before: Tokens
    after: Tokens
    labels: tuple[Tokens, ...]
    _caches: dict[int, list[tuple[Any, Any]]] = field(default_factory=dict)
    _reading: threading.Lock = field(default_factory=threading.Lock)

    def cache(self, model: Any) -> list[tuple[Any, Any]]:
        """Keys and values of each layer where the model is; read when they are first asked for."""
        import torch

        with self._reading:
            if id(model) not in self._caches:
                ids = torch.tensor([self.before], device=model.device)
                with torch.inference_mode():
                    read = model(input_ids=ids, use_cache=True).past_key_values
                self._caches[id(model)] = [(layer.keys, layer.values) for layer in read.layers]
            return self._caches[id(model)]


@dataclass(frozen=True)
class Tree:
    """The labels' tokens after a text, those before each one's last, side by side.

    `depths` (tokens,) say how far from the text each stands in its label; `sees` (tokens,
    tokens) which it follows. `paths` has for each label its tokens, and after which of the tree
    each comes (None: the text).
    """

    tokens: Tokens
    depths: list[int]
    sees: list[list[bool]]
    paths: tuple[list[tuple[int | None, int]], ...]


def tree_of(frame: Frame) -> Tree:
    """The tree of a frame's labels; labels that begin alike share their beginning."""
    tokens: Tokens = []
    depths: list[int] = []
    parents: list[int | None] = []
    places: dict[tuple[int, ...], int] = {}
    paths = []
    for label in frame.labels:
        path: list[tuple[int | None, int]] = []
        at: int | None = None
        for depth, token in enumerate(label):
            path.append((at, token))
            beginning = tuple(label[: depth + 1])
            if depth == len(label) - 1:
                break
            if beginning not in places:
                places[beginning] = len(tokens)
                tokens.append(token)
                depths.append(depth)
                parents.append(at)
            at = places[beginning]
        paths.append(path)
    sees = [[False] * len(tokens) for _ in tokens]
    for place in range(len(tokens)):
        above: int | None = place
        while above is not None:
            sees[place][above] = True
            above = parents[above]
    return Tree(tokens, depths, sees, tuple(paths))


def label_scores(model: Any, frame: Frame, tree: Tree, ids: Any) -> Any:
    """The logarithm of each label's probability: (rows, labels), where `ids` (rows, length) are.

    Each row is a text, what stands after it, and the tree's tokens.
    """
    import torch
    from transformers import DynamicCache

    rows, length = ids.shape
    stem, start = length - len(tree.tokens), len(frame.before)
    cache = DynamicCache()
    for layer, (keys, values) in enumerate(frame.cache(model)):
        cache.update(keys.expand(rows, -1, -1, -1), values.expand(rows, -1, -1, -1), layer)
    depths = [*range(stem), *(stem + depth for depth in tree.depths)]
    places = torch.tensor(depths, device=ids.device) + start
    sees = torch.ones(length, start + length, dtype=torch.bool).tril(diagonal=start)
    tokens = len(tree.tokens)
    own = torch.tensor(tree.sees, dtype=torch.bool).reshape(tokens, tokens)
    sees[stem:, start + stem :] = own
    mask = torch.zeros(sees.shape, dtype=model.dtype)
    mask = mask.masked_fill_(~sees, torch.finfo(model.dtype).min).to(ids.device)
    logits = model(
        input_ids=ids,
        attention_mask=mask[None, None].expand(rows, 1, -1, -1),
        position_ids=places[None].expand(rows, -1),
        past_key_values=cache,
        use_cache=True,
        logits_to_keep=torch.arange(stem - 1, length, device=ids.device),
    ).logits.float()
    likely = torch.log_softmax(logits, dim=-1)
    # What stands after the text is at 0, the tree's tokens follow.
    each = [
        torch.stack([likely[:, 0 if at is None else 1 + at, token] for at, token in path])
        for path in tree.paths
    ]
    return torch.stack([path.sum(dim=0) for path in each], dim=1)
