"""Training a network: the loop, when it stops, and where it can go on from. Uses torch.

Rows are few and dear, so the loop is the plain one: AdamW, a rate that rises and falls, norms of
gradients cut, and a tenth of the rows held out, by which training stops before it does harm.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from hashlib import sha256

import numpy as np
import numpy.typing as npt
import torch

from sqlfuncs.learning.encoders.batches import threads
from sqlfuncs.learning.encoders.device import CPU, is_out_of_memory, leave, say_too_small
from sqlfuncs.learning.encoders.reading import read_tokens
from sqlfuncs.learning.labels.classes import Codes
from sqlfuncs.learning.models.networks.batches import batches, padded
from sqlfuncs.learning.models.networks.network import Network, Tensors, own_chance
from sqlfuncs.learning.models.networks.objective import OBJECTIVES
from sqlfuncs.learning.models.networks.optimizer import Optimizer

Floats = npt.NDArray[np.float64]
_HELD_OUT = 0.1
_FEWEST_HELD_OUT = 20  # rows: fewer tell epochs apart by chance alone
_PATIENCE = 2  # epochs without a better one
_BATCHES_TIMED = 4
_LEAST = 1e-9  # below: weights of a batch that count nothing, probabilities that are none


@dataclass(frozen=True)
class Rows:
    """What is learned from: texts as token ids, their classes, and how much each row counts.

    Where labels are none, `targets` (rows, width) are what is learned, and `codes` (rows,) what as
    many are held out of.
    """

    tokens: Sequence[Sequence[int]]
    codes: Codes
    weights: npt.NDArray[np.float32]
    targets: npt.NDArray[np.float32] | None = None

    def take(self, places: npt.NDArray[np.int64]) -> Rows:
        """Some of the rows."""
        return Rows(
            [self.tokens[at] for at in places],
            self.codes[places],
            self.weights[places],
            None if self.targets is None else self.targets[places],
        )

    def tensor(self) -> torch.Tensor:
        """What is learned."""
        return torch.from_numpy(self.codes if self.targets is None else self.targets)

    def how_good(self, network: Network) -> Floats:
        """How good what a network says of each row is, 0 to 1: (rows,).

        Of a class whether it is right; of tags and numbers the likelier or nearer the better.
        """
        said = predictions(network, self.tokens)
        if self.targets is None:
            right: Floats = (said.argmax(axis=1) == self.codes).astype(np.float64)
            return right
        found: Floats = np.exp(-np.abs(said - self.targets)).mean(axis=1)
        return found


@dataclass
class Progress:
    """Where training stands between two epochs: all that is needed to go on from there.

    `now` and `best` are what the network had learned then (`Network.learned`), `moments` those
    of AdamW; `accuracy` is that of `best` on the rows that are held out, `highest` any epoch's.
    """

    epoch: int = 0
    best_epoch: int = 0
    highest: float = 0.0
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
    batch how much of all is done, 0 to 1, and may raise; `save` gets the progress after each
    epoch, and `progress` is the last that it got, to go on from. NaN where the rows are too few
    to hold any out. Where a GPU fails, the processor goes on from the last epoch.
    """
    out = held_out(rows.codes, groups, seed)
    learning, judging = rows.take(np.flatnonzero(~out)), rows.take(np.flatnonzero(out))
    progress = progress or Progress()
    if progress.now:
        network.restore(progress.now)
    elif network.device != CPU:
        network.remember(_copies(network.trainable_parameters()))
    while True:
        try:
            _learn(network, learning, judging, progress, seed, step, keep)
            network.restore(progress.best)
            return progress.accuracy
        except RuntimeError as error:
            _leave_gpu(network, error)


def _learn(
    network: Network,
    learning: Rows,
    judging: Rows,
    progress: Progress,
    seed: int,
    step: Callable[[float], None],
    keep: Callable[[Progress], None],
) -> None:
    """All epochs that are to come; `progress` is where the network stands, after each."""
    with own_chance(network.device):
        optimizer = Optimizer(network, len(learning.codes), progress.epoch, progress.moments)
        while progress.epoch < network.recipe.epochs:
            if judging.tokens and progress.epoch - progress.best_epoch > _PATIENCE:
                break
            _epoch(network, learning, optimizer, (seed, progress.epoch), step)
            now, moments = _copies(network.trainable_parameters()), optimizer.moments()
            progress.epoch, progress.now, progress.moments = progress.epoch + 1, now, moments
            network.remember(now)
            _judge(network, judging, progress)
            keep(progress)


def _leave_gpu(network: Network, error: RuntimeError) -> None:
    """Move a network whose GPU has failed to the processor. Raises what no GPU is to blame for."""
    if network.device == CPU:
        raise error
    if is_out_of_memory(error):
        say_too_small(network.device, "what one row takes to be trained on")
    else:
        leave(network.device, error)
    network.move_to_processor()


def held_out(codes: Codes, groups: Sequence[bytes], seed: int) -> npt.NDArray[np.bool_]:
    """Which rows are held out: (rows,), a tenth of each class in whole groups, or none.

    Groups are dealt out class by class, in the order of a hash: a network is trained in one place,
    and the evener what it is measured on, the better.
    """
    salt = f"held out {seed}".encode()
    of_group: dict[bytes, int] = {}
    for group, code in zip(groups, codes.tolist(), strict=True):
        of_group[group] = min(of_group.get(group, code), code)
    turns: dict[int, int] = {}
    chosen = set()
    for group in sorted(of_group, key=lambda each: sha256(salt + b"\0" + each).digest()):
        code = of_group[group]
        turn = turns.setdefault(code, code)  # each class begins at another turn: evener in all
        turns[code] = turn + 1
        if turn % round(1 / _HELD_OUT) == 0:
            chosen.add(group)
    out: npt.NDArray[np.bool_] = np.array([group in chosen for group in groups], dtype=bool)
    if out.sum() < _FEWEST_HELD_OUT:
        return np.zeros(len(codes), dtype=bool)
    return out


def predictions(
    network: Network,
    tokens: Sequence[Sequence[int]],
    step: Callable[[int], None] = lambda texts: None,
) -> Floats:
    """What the network says, (texts, width), as `objective` has it. `step` counts texts."""
    found = np.empty((len(tokens), network.head.out_features))
    network.eval()
    for places, said, _ in read_tokens(tokens, predicted, network, network.usable_devices()):
        found[places] = said
        step(len(places))
    return found


def predicted(network: Network, ids: torch.Tensor) -> torch.Tensor:
    """What the network says of texts of one length, by their ids (texts, length)."""
    return OBJECTIVES[network.recipe.loss].predictions(network(ids))


def _epoch(
    network: Network,
    rows: Rows,
    optimizer: Optimizer,
    seed: tuple[int, int],
    step: Callable[[float], None],
) -> None:
    """One pass over the rows. Its chance is its own, so that it is the same after a break."""
    rng = np.random.default_rng([part % 2**32 for part in seed])  # a seed may be negative
    torch.manual_seed(int(rng.integers(2**31)))
    # How sums are split over threads changes their last bits, and batches that were read before
    # have told some of torch's libraries to use one.
    torch.set_num_threads(threads())
    network.train()
    for part in batches(lengths(rows.tokens), network.recipe.batch_rows, rng):
        _step(network, rows.take(np.array(part)), optimizer)
        step(optimizer.done)


def _step(network: Network, batch: Rows, optimizer: Optimizer) -> None:
    while not _gradients(network, batch, optimizer):
        optimizer.rows_at_once = max(1, min(optimizer.rows_at_once, len(batch.codes)) // 2)
    optimizer.step()


def _gradients(network: Network, batch: Rows, optimizer: Optimizer) -> bool:
    """Gradients of a batch's loss, from parts that a GPU holds. False if it does not hold them."""
    optimizer.forget()
    total = torch.from_numpy(batch.weights).sum().clamp(min=_LEAST)
    size = optimizer.rows_at_once
    try:
        for at in range(0, len(batch.codes), size):
            part = batch.take(np.arange(at, min(at + size, len(batch.codes))))
            _loss(network, part, total).backward()  # type: ignore[no-untyped-call]
    except RuntimeError as error:
        if network.device == CPU or size == 1 or not is_out_of_memory(error):
            raise
        return False
    return True


def _loss(network: Network, part: Rows, total: torch.Tensor) -> torch.Tensor:
    """What some rows add to the loss of their batch, whose weights sum to `total`."""
    logits = network(*padded(part.tokens))
    weights = torch.from_numpy(part.weights).to(logits.device)
    targets = part.tensor().to(logits.device)
    losses = OBJECTIVES[network.recipe.loss].losses(logits, targets)
    return (losses * weights).sum() / total.to(logits.device)


def lengths(tokens: Sequence[Sequence[int]]) -> list[int]:
    """How many tokens each text has."""
    return [len(ids) for ids in tokens]


def expected_seconds(network: Network, rows: Rows) -> float:
    """About how long `train` would take if it did not stop early: a few batches of it are timed.

    The network learns from them, and is of no use afterwards.
    """
    if network.device != CPU:
        network.remember(_copies(network.trainable_parameters()))
    while True:
        try:
            return _timed(network, rows)
        except RuntimeError as error:
            _leave_gpu(network, error)


def _timed(network: Network, rows: Rows) -> float:
    size, epochs = network.recipe.batch_rows, network.recipe.epochs
    optimizer = Optimizer(network, len(rows.codes), 0, {})
    parts = sorted(
        batches(lengths(rows.tokens), size, np.random.default_rng(0)),
        key=lambda part: max(len(rows.tokens[at]) for at in part),
    )
    tokens_of = [len(part) * max(len(rows.tokens[at]) for at in part) for part in parts]
    network.train()
    seconds, tokens = 0.0, 0
    timed = np.linspace(0, len(parts) - 1, _BATCHES_TIMED).round().astype(int).tolist()
    with own_chance(network.device):
        for turn, at in enumerate([timed[-1], *timed]):
            begun = time.perf_counter()
            _step(network, rows.take(np.array(parts[at])), optimizer)
            if turn > 0:  # the first one is slower: memory is taken for the first time
                seconds += time.perf_counter() - begun
                tokens += tokens_of[at]
    return epochs * sum(tokens_of) * seconds / tokens


def _judge(network: Network, rows: Rows, progress: Progress) -> None:
    """Whether the network is to be as it is now: if it predicts what is held out hardly worse.

    It may be one standard error worse than at its best (Hastie, Tibshirani, Friedman, The
    elements of statistical learning, section 7.10): a tenth of the rows tells epochs apart by
    chance more often than not, and the later one has learned more.
    """
    accuracy = math.nan
    if rows.tokens:
        counts = np.maximum(rows.weights, _LEAST)
        accuracy = float(np.average(rows.how_good(network), weights=counts))
        progress.highest = max(progress.highest, accuracy)
        error = math.sqrt(progress.highest * (1 - progress.highest) / len(rows.codes))
        if accuracy < progress.highest - error:
            return
    progress.accuracy, progress.best_epoch = accuracy, progress.epoch
    progress.best = _copies(progress.now)


def _copies(tensors: Tensors) -> Tensors:
    """On the processor, where they outlast a GPU that fails."""
    return {name: each.detach().to("cpu", copy=True) for name, each in tensors.items()}
