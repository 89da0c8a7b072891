"""A pretrained transformer and a classification head on its tokens, or their mean. Uses torch."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any

import torch
from torch import nn

from sqlfuncs.learning.encoders.batches import tokenized
from sqlfuncs.learning.encoders.device import CPU, Device, devices, is_usable, precision, ready
from sqlfuncs.learning.models.networks import bases
from sqlfuncs.learning.models.networks.bases import Base
from sqlfuncs.learning.models.networks.objective import OBJECTIVES
from sqlfuncs.learning.models.networks.recipe import Recipe
from sqlfuncs.store import weights as pretrained
from sqlfuncs.store.weights import Weights

Tensors = dict[str, torch.Tensor]
_HEAD_DEVIATION = 0.02  # of the head's first weights: near nothing, so that the base decides


class Network(nn.Module):
    """Logits of texts that are token ids.

    Of one on a GPU, what it has learned is also kept on the processor, as it was last told by
    `restore` or `remember`: of a GPU that fails nothing can be read.
    """

    def __init__(self, base: Base, recipe: Recipe, classes: int, device: Device) -> None:
        """With a head, and adapters, that have learned nothing."""
        super().__init__()
        self.recipe, self.device = recipe, device
        self._remembered: Tensors = {}
        self._twin: tuple[Network, ...] = ()  # no Module, whose weights would be this one's
        self.tokenizer, self.base = base.tokenizer, base.module
        self.shares = base.shares
        if recipe.rank:
            _inject_adapters(self.base, recipe)
        width = self.base.config.hidden_size
        self.dropout = nn.Dropout(recipe.dropout)
        self.head = nn.Linear(width, classes)
        nn.init.normal_(self.head.weight, std=_HEAD_DEVIATION)
        nn.init.zeros_(self.head.bias)
        for each in self.trainable_parameters().values():
            each.data = each.data.float()  # small steps are lost in bf16
        self._options = {"use_cache": False} if hasattr(self.base.config, "use_cache") else {}
        self.to(device.name)

    def tokens(self, texts: Sequence[str]) -> list[list[int]]:
        """The ids of texts, each cut to what is read."""
        return [ids or [0] for ids in tokenized(self.tokenizer, texts, self.recipe.max_tokens)]

    def forward(self, ids: torch.Tensor, mask: torch.Tensor | None = None) -> torch.Tensor:
        """Logits in fp32, (rows, classes), of ids (rows, length); `mask` is 0 where none is.

        Where words have classes, those of each token: (rows, length, classes).
        """
        place = torch.device(self.device.name)
        ids = ids.to(place)
        mask = torch.ones_like(ids) if mask is None else mask.to(place)
        is_bf16 = precision(self.device) == "bf16"
        with torch.autocast(place.type, dtype=torch.bfloat16, enabled=is_bf16):
            output = self.base(input_ids=ids, attention_mask=mask, **self._options)
        states = output.last_hidden_state.float()
        if not OBJECTIVES[self.recipe.loss].is_of_tokens:
            own = mask.unsqueeze(-1)
            states = (states * own).sum(dim=1) / own.sum(dim=1)
        logits: torch.Tensor = self.head(self.dropout(states))
        return logits

    def trainable_parameters(self) -> Tensors:
        """What training changes, by name: not the base's own weights where adapters learn."""
        return {name: each for name, each in self.named_parameters() if each.requires_grad}

    def restore(self, learned: Tensors) -> None:
        """Take what `learned` gave, in another process perhaps. Raises KeyError, RuntimeError."""
        with torch.no_grad():
            for name, each in self.trainable_parameters().items():
                each.copy_(learned[name])
        self.remember(learned)

    def remember(self, learned: Tensors) -> None:
        """What it has learned now, on the processor: what it would go on from without its GPU."""
        if self.device != CPU:
            self._remembered, self._twin = learned, ()

    def usable_devices(self) -> tuple[Device, ...]:
        """Where it reads: on its own device, unless that has failed."""
        return (self.device if is_usable(self.device) else CPU,)

    def on(self, device: Device) -> Network:
        """The network there: itself, or its twin on the processor. Raises DamagedModel."""
        return self if device == self.device else self.twin()

    def twin(self) -> Network:
        """A network on the processor that has learned what is remembered. Raises DamagedModel."""
        if not self._twin:
            found = pretrained.get(self.recipe.base)
            made = untrained(found, self.recipe, self.head.out_features, seed=0, device=CPU)
            made.restore(self._remembered)
            self._twin = (made.eval(),)
        return self._twin[0]

    def move_to_processor(self) -> None:
        """Go on as its twin. Raises DamagedModel."""
        twin = self.twin()
        self.base, self.head, self.shares = twin.base, twin.head, twin.shares
        self.device, self._remembered, self._twin = CPU, {}, ()


def untrained(
    weights: Weights, recipe: Recipe, classes: int, seed: int, device: Device | None = None
) -> Network:
    """A network to be trained, the same for the same seed; on the first device, unless told.

    Raises DamagedModel, BadOption.
    """
    device = device or devices()[0]
    with own_chance(device):
        torch.manual_seed(seed)
        return Network(bases.load(weights, recipe, device), recipe, classes, device)


def restored(
    weights: Weights, recipe: Recipe, classes: int, learned: Tensors, device: Device | None = None
) -> Network:
    """A network for use, as what `Network.learned` gave makes it; on the first device, too.

    Raises DamagedModel, BadOption, and KeyError or RuntimeError for what it is not of.
    """
    device = device or devices()[0]
    base = (bases.share if recipe.rank else bases.load)(weights, recipe, device)
    with own_chance(device):
        network = Network(base, recipe, classes, device)
    network.restore(learned)
    ready(network.base, device)
    return network.eval()


def own_chance(device: Device) -> AbstractContextManager[None]:
    """Leaves the random numbers of others as they are: those of the processor, and of a GPU."""
    is_cuda = device.name.startswith("cuda")
    forked: AbstractContextManager[None] = torch.random.fork_rng([device.name] if is_cuda else [])
    return forked


def _inject_adapters(base: Any, recipe: Recipe) -> None:
    """LoRA beside every linear layer; nothing else of the base is to learn."""
    from peft import LoraConfig, inject_adapter_in_model

    config = LoraConfig(
        r=recipe.rank,
        lora_alpha=2 * recipe.rank,
        lora_dropout=recipe.dropout / 2,
        target_modules="all-linear",
    )
    for each in base.parameters():
        each.requires_grad_(False)
    inject_adapter_in_model(config, base)
