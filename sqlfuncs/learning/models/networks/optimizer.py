"""AdamW (Loshchilov, Hutter, ICLR 2019) as training uses it, which can go on from where it was."""

from __future__ import annotations

import math

import torch
from torch import nn

from sqlfuncs.learning.models.networks.network import Network, Tensors

_LONGEST_NORM = 1.0  # of all gradients together


class Optimizer:
    """Steps against a loss, with a rate that rises for the first steps and then falls to nothing.

    `rows` are those of an epoch. After `epochs` that are done it goes on with their `moments`.
    """

    def __init__(self, network: Network, rows: int, epochs: int, moments: Tensors) -> None:
        recipe = network.recipe
        self._recipe = recipe
        learned = network.trainable_parameters()
        self._learned = learned
        head = [each for name, each in learned.items() if name.startswith("head.")]
        base = [each for name, each in learned.items() if not name.startswith("head.")]
        self._all = [*base, *head]
        self._rates = (recipe.rate, recipe.head_rate)
        self._adamw = torch.optim.AdamW(
            [{"params": base}, {"params": head}], weight_decay=recipe.decay, fused=True
        )
        per_epoch = math.ceil(rows / recipe.batch_rows)
        self._steps = per_epoch * recipe.epochs
        self._step = per_epoch * epochs
        for place, moment in moments.items():
            name, _, kind = place.rpartition("/")
            own = learned[name]
            self._adamw.state[own][kind] = moment.to(own.device, copy=True)
        self.rows_at_once = recipe.batch_rows  # fewer where a GPU does not hold a batch

    @property
    def done(self) -> float:
        """How much of all steps is done, 0 to 1."""
        return self._step / self._steps

    def forget(self) -> None:
        """No gradient is left of earlier batches."""
        self._adamw.zero_grad(set_to_none=True)

    def step(self) -> None:
        """One step against the gradients."""
        nn.utils.clip_grad_norm_(self._all, _LONGEST_NORM)
        for group, rate in zip(self._adamw.param_groups, self._rates, strict=True):
            group["lr"] = rate * self._share()
        self._adamw.step()
        self._step += 1

    def _share(self) -> float:
        """Of the highest rate: rising over the warm-up, then falling."""
        at, rising = self._step + 1, max(1.0, self._recipe.warm_up * self._steps)
        return min(at / rising, (self._steps - self._step) / max(1.0, self._steps - rising), 1.0)

    def moments(self) -> Tensors:
        """AdamW's state, by the names of what is learned."""
        return {
            f"{name}/{kind}": moment.detach().to("cpu", copy=True)
            for name, each in self._learned.items()
            for kind, moment in self._adamw.state[each].items()
        }
