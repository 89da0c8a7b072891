"""A pretrained transformer and a classification head on the mean of its tokens. Uses torch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import nn

from sqlfuncs.learning.encoders.batches import precision, ready, tokenized
from sqlfuncs.learning.models.networks import bases
from sqlfuncs.learning.models.networks.bases import Base
from sqlfuncs.learning.models.networks.recipe import Recipe
from sqlfuncs.store.weights import Weights

Tensors = dict[str, torch.Tensor]
_HEAD_DEVIATION = 0.02  # of the head's first weights: near nothing, so that the base decides


class Network(nn.Module):
    """Logits of texts that are token ids."""

    def __init__(self, base: Base, recipe: Recipe, classes: int) -> None:
        """With a head, and adapters, that have learned nothing."""
        super().__init__()
        self.recipe = recipe
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
        self.to(device())

    def tokens(self, texts: Sequence[str]) -> list[list[int]]:
        """The ids of texts, each cut to what is read."""
        return [ids or [0] for ids in tokenized(self.tokenizer, texts, self.recipe.max_tokens)]

    def forward(self, ids: torch.Tensor, mask: torch.Tensor | None = None) -> torch.Tensor:
        """Logits in fp32, (rows, classes), of ids (rows, length); `mask` is 0 where none is."""
        place = device()
        ids = ids.to(place)
        mask = torch.ones_like(ids) if mask is None else mask.to(place)
        with torch.autocast(place.type, dtype=torch.bfloat16, enabled=precision() == "bf16"):
            output = self.base(input_ids=ids, attention_mask=mask, **self._options)
        own = mask.unsqueeze(-1)
        mean = (output.last_hidden_state.float() * own).sum(dim=1) / own.sum(dim=1)
        logits: torch.Tensor = self.head(self.dropout(mean))
        return logits

    def trainable_parameters(self) -> Tensors:
        """What training changes, by name: not the base's own weights where adapters learn."""
        return {name: each for name, each in self.named_parameters() if each.requires_grad}

    def restore(self, learned: Tensors) -> None:
        """Take what `learned` gave, in another process perhaps. Raises KeyError, RuntimeError."""
        with torch.no_grad():
            for name, each in self.trainable_parameters().items():
                each.copy_(learned[name])


def untrained(weights: Weights, recipe: Recipe, classes: int, seed: int) -> Network:
    """A network to be trained, the same for the same seed. Raises DamagedModel."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return Network(bases.load(weights, recipe), recipe, classes)


def restored(weights: Weights, recipe: Recipe, classes: int, learned: Tensors) -> Network:
    """A network for use, as what `Network.learned` gave makes it.

    Raises DamagedModel, and KeyError or RuntimeError for what it is not of.
    """
    base = bases.share(weights, recipe) if recipe.rank else bases.load(weights, recipe)
    with torch.random.fork_rng():
        network = Network(base, recipe, classes)
    network.restore(learned)
    ready(network.base)
    return network.eval()


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


def device() -> torch.device:
    """Where networks run: on CUDA if it is there."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")
