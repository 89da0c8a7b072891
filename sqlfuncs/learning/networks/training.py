"""Training a network: the loop, when it stops, and where it can go on from. Uses torch.

Rows are few and dear, so the loop is the plain one: AdamW, a rate that rises and falls, norms of
gradients cut, a tenth of the rows held out, and of all epochs the one that foretold these best.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from sqlfuncs.learning.batches import in_batches
from sqlfuncs.learning.classes import Codes
from sqlfuncs.learning.folds import fold_numbers
from sqlfuncs.learning.networks.network import Network, Tensors

Floats = npt.NDArray[np.float64]
_LONGEST_NORM = 1.0  # of all gradients together
_HELD_OUT = 0.1
_FEWEST_HELD_OUT = 20  # rows: fewer tell epochs apart by chance alone
_PATIENCE = 2  # epochs without a better one
_BATCHES_SORTED = 16  # batches whose rows are sorted by length together
_LEAST = 1e-9  # below: weights of a batch that count nothing, probabilities that are none


@dataclass(frozen=True)
class Rows:
    """What is learned from: texts as token ids, their classes, and how much each row counts."""

    tokens: Sequence[Sequence[int]]
    codes: Codes
    weights: npt.NDArray[np.float32]

    def take(self, places: npt.NDArray[np.int64]) -> Rows:
        """Some of the rows."""
        return Rows([self.tokens[at] for at in places], self.codes[places], self.weights[places])


@dataclass
class Progress:
    """Where training stands between two epochs: all that is needed to go on from there.

    `now` and `best` are what the network had learned then (`Network.learned`), `moments` those
    of AdamW; `loss` and `accuracy` are the best epoch's on the rows that are held out.
    """

    epoch: int = 0
    best_epoch: int = 0
    loss: float = math.inf
    accuracy: float = math.nan
    now: Tensors = field(default_factory=dict)
    best: Tensors = field(default_factory=dict)
    moments: Tensors = field(default_factory=dict)


def train(
    network: Network,
    rows: Rows,
    groups: Sequence[bytes],
    *,
    seed: int,
    step: Callable[[float], None],
    keep: Callable[[Progress], None] = lambda progress: None,
    progress: Progress | None = None,
) -> float:
    """Train; the network then is as it was at its best. Returns its accuracy on held-out rows.

    `groups` (rows,) are digests: rows of one are held out together. `step` is told after each
    batch how much of all is done, 0 to 1, and may raise; `keep` gets the progress after each
    epoch, and `progress` is the last that it got, to go on from. NaN where the rows are too few
    to hold any out.
    """
    out = held_out(rows.codes, groups, seed)
    learning, judging = rows.take(np.flatnonzero(~out)), rows.take(np.flatnonzero(out))
    progress = progress or Progress()
    if progress.now:
        network.restore(progress.now)
    with torch.random.fork_rng():
        optimizer = _Optimizer(network, len(learning.codes), progress)
        while progress.epoch < network.recipe.epochs:
            if judging.tokens and progress.epoch - progress.best_epoch > _PATIENCE:
                break
            _epoch(network, learning, optimizer, (seed, progress.epoch), step)
            progress.epoch += 1
            _judge(network, judging, progress)
            progress.now, progress.moments = _copies(network.learned()), optimizer.moments()
            keep(progress)
    network.restore(progress.best)
    return progress.accuracy


def held_out(codes: Codes, groups: Sequence[bytes], seed: int) -> npt.NDArray[np.bool_]:
    """Which rows are held out: (rows,), a tenth of each class in whole groups, or none."""
    out: npt.NDArray[np.bool_] = (
        fold_numbers(groups, codes, round(1 / _HELD_OUT), f"held out {seed}") == 0
    )
    if out.sum() < _FEWEST_HELD_OUT:
        return np.zeros(len(codes), dtype=bool)
    return out


def probabilities(
    network: Network,
    tokens: Sequence[Sequence[int]],
    step: Callable[[int], None] = lambda texts: None,
) -> Floats:
    """Class probabilities: (texts, classes), each row summing to 1. `step` counts texts."""
    found = np.empty((len(tokens), network.head.out_features))
    network.eval()
    for places, probs in in_batches(tokens, lambda ids: _probabilities(network, ids)):
        found[places] = probs
        step(len(places))
    return found


def _probabilities(network: Network, ids: torch.Tensor) -> npt.NDArray[np.float32]:
    probs: npt.NDArray[np.float32] = network(ids).softmax(dim=1).cpu().numpy()
    return probs


def _epoch(
    network: Network,
    rows: Rows,
    optimizer: _Optimizer,
    seed: tuple[int, int],
    step: Callable[[float], None],
) -> None:
    """One pass over the rows. Its chance is its own, so that it is the same after a break."""
    chance = np.random.default_rng(seed)
    torch.manual_seed(int(chance.integers(2**31)))
    network.train()
    for part in _batches([len(ids) for ids in rows.tokens], network.recipe.batch_rows, chance):
        batch = rows.take(np.array(part))
        logits = network(*_padded(batch.tokens))
        codes = torch.from_numpy(batch.codes).to(logits.device)
        weights = torch.from_numpy(batch.weights).to(logits.device)
        losses = nn.functional.cross_entropy(logits, codes, reduction="none")
        optimizer.learn_from((losses * weights).sum() / weights.sum().clamp(min=_LEAST))
        step(optimizer.done)


def _judge(network: Network, rows: Rows, progress: Progress) -> None:
    """Whether this epoch is the best so far; where nothing is held out, the last one is."""
    loss = accuracy = math.nan
    if rows.tokens:
        probs = probabilities(network, rows.tokens)
        own = probs[np.arange(len(rows.codes)), rows.codes]
        losses = -np.log(np.maximum(own, _LEAST))
        loss = float(np.average(losses, weights=np.maximum(rows.weights, _LEAST)))
        accuracy = float((probs.argmax(axis=1) == rows.codes).mean())
    if not loss >= progress.loss:
        progress.loss, progress.accuracy = loss, accuracy
        progress.best, progress.best_epoch = _copies(network.learned()), progress.epoch


class _Optimizer:
    """AdamW, with a rate that rises for the first steps and then falls to nothing."""

    def __init__(self, network: Network, rows: int, progress: Progress) -> None:
        recipe = network.recipe
        self._recipe = recipe
        learned = network.learned()
        self._learned = learned
        head = [each for name, each in learned.items() if name.startswith("head.")]
        base = [each for name, each in learned.items() if not name.startswith("head.")]
        self._all = [*base, *head]
        self._rates = (recipe.rate, recipe.head_rate)
        self._optimizer = torch.optim.AdamW(
            [{"params": base}, {"params": head}], weight_decay=recipe.decay
        )
        per_epoch = math.ceil(rows / recipe.batch_rows)
        self._steps = per_epoch * recipe.epochs
        self._step = per_epoch * progress.epoch
        for place, moment in progress.moments.items():
            name, _, kind = place.rpartition("/")
            self._optimizer.state[learned[name]][kind] = moment.clone()

    @property
    def done(self) -> float:
        """How much of all steps is done, 0 to 1."""
        return self._step / self._steps

    def learn_from(self, loss: torch.Tensor) -> None:
        """One step against the loss."""
        self._optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(self._all, _LONGEST_NORM)
        for group, rate in zip(self._optimizer.param_groups, self._rates, strict=True):
            group["lr"] = rate * self._share()
        self._optimizer.step()
        self._step += 1

    def _share(self) -> float:
        """Of the highest rate: rising over the warm-up, then falling."""
        at, rising = self._step + 1, max(1.0, self._recipe.warm_up * self._steps)
        return min(at / rising, (self._steps - self._step) / max(1.0, self._steps - rising), 1.0)

    def moments(self) -> Tensors:
        """AdamW's state, by the names of what is learned."""
        return {
            f"{name}/{kind}": moment.detach().clone()
            for name, each in self._learned.items()
            for kind, moment in self._optimizer.state[each].items()
        }


def _batches(lengths: Sequence[int], size: int, chance: np.random.Generator) -> Iterator[list[int]]:
    """The batches of an epoch in their order: rows by chance, those of a batch of like length."""
    order = chance.permutation(len(lengths))
    span = size * _BATCHES_SORTED
    batches = []
    for at in range(0, len(order), span):
        alike = sorted(order[at : at + span].tolist(), key=lengths.__getitem__)
        batches += [alike[begin : begin + size] for begin in range(0, len(alike), size)]
    yield from (batches[place] for place in chance.permutation(len(batches)))


def _padded(rows: Sequence[Sequence[int]]) -> tuple[torch.Tensor, torch.Tensor]:
    """Ids and mask, both (rows, longest)."""
    longest = max(map(len, rows))
    ids = torch.zeros((len(rows), longest), dtype=torch.long)
    mask = torch.zeros_like(ids)
    for place, row in enumerate(rows):
        ids[place, : len(row)] = torch.tensor(row)
        mask[place, : len(row)] = 1
    return ids, mask


def _copies(tensors: Tensors) -> Tensors:
    return {name: each.detach().clone() for name, each in tensors.items()}
