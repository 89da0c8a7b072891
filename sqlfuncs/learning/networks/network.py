"""A pretrained transformer and a classification head on the mean of its tokens. Uses torch."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import nn

from sqlfuncs.errors import BadOption
from sqlfuncs.learning.batches import precision, shortened
from sqlfuncs.learning.causal import is_causal
from sqlfuncs.learning.networks.recipe import Recipe
from sqlfuncs.learning.pretrained import LOCAL, as_safetensors, loading
from sqlfuncs.store.weights import Weights

Tensors = dict[str, torch.Tensor]
_HEAD_DEVIATION = 0.02  # of the head's first weights: near nothing, so that the base decides


class Network(nn.Module):
    """Logits of texts that are token ids."""

    def __init__(self, weights: Weights, recipe: Recipe, classes: int) -> None:
        """With a head that has learned nothing. Raises DamagedModel, BadOption."""
        super().__init__()
        self.recipe = recipe
        self.words, self.base = _loaded(weights, recipe)
        width = self.base.config.hidden_size
        self.dropout = nn.Dropout(recipe.dropout)
        self.head = nn.Linear(width, classes)
        nn.init.normal_(self.head.weight, std=_HEAD_DEVIATION)
        nn.init.zeros_(self.head.bias)
        self._options = {"use_cache": False} if hasattr(self.base.config, "use_cache") else {}
        self.to(device())

    def tokens(self, texts: Sequence[str]) -> list[list[int]]:
        """The ids of texts, each cut to what is read."""
        most = self.recipe.max_tokens
        found: list[list[int]] = self.words(
            shortened(texts, most), truncation=True, max_length=most
        )["input_ids"]
        return [ids or [0] for ids in found]

    def forward(self, ids: torch.Tensor, mask: torch.Tensor | None = None) -> torch.Tensor:
        """Logits in fp32, (rows, classes), of ids (rows, length); `mask` is 0 where none is."""
        place = device()
        ids = ids.to(place)
        mask = torch.ones_like(ids) if mask is None else mask.to(place)
        with torch.autocast(place.type, dtype=torch.bfloat16, enabled=precision() == "bf16"):
            said = self.base(input_ids=ids, attention_mask=mask, **self._options)
        own = mask.unsqueeze(-1)
        mean = (said.last_hidden_state.float() * own).sum(dim=1) / own.sum(dim=1)
        logits: torch.Tensor = self.head(self.dropout(mean))
        return logits

    def learned(self) -> Tensors:
        """What training changes, by name: not the base's own weights where adapters learn."""
        return {name: each for name, each in self.named_parameters() if each.requires_grad}

    def restore(self, learned: Tensors) -> None:
        """Take what `learned` gave, in another process perhaps. Raises KeyError, RuntimeError."""
        with torch.no_grad():
            for name, each in self.learned().items():
                each.copy_(learned[name])


def device() -> torch.device:
    """Where networks run: on CUDA if it is there."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def layers_of(weights: Weights) -> int:
    """How many layers a base has. Raises BadOption for one that has none to train."""
    try:
        about = json.loads((transformer_folder(weights.folder) / "config.json").read_bytes())
        return int(about["num_hidden_layers"])
    except (OSError, ValueError, LookupError, TypeError):
        raise BadOption(
            f"base := '{weights.name}' is no transformer whose layers could be trained. Train "
            "base := 'fast' or 'minilm' instead."
        ) from None


def transformer_folder(folder: Path) -> Path:
    """Where the transformer of a sentence-transformers model is; else the folder itself."""
    listed = folder / "modules.json"
    if not listed.exists():
        return folder
    first = json.loads(listed.read_bytes())[0]
    return folder / str(first["path"])


def _loaded(weights: Weights, recipe: Recipe) -> tuple[Any, Any]:
    from transformers import AutoModel, AutoTokenizer

    causal = is_causal(weights.folder)
    if causal:
        folder, source = as_safetensors(weights)
    else:
        folder, source = transformer_folder(weights.folder), {"use_safetensors": True}
    with loading(weights.name, folder):
        words = AutoTokenizer.from_pretrained(folder, gguf_file=source.get("gguf_file"), **LOCAL)
        base: Any = AutoModel.from_pretrained(folder, **source, **LOCAL)
    if recipe.layers and causal:
        base.layers = base.layers[: recipe.layers]
        base.norm = nn.Identity()  # it was made for the layers that are gone
    if not recipe.rank:
        # A sentence embedding is a mean: what would pool its first token is not used.
        if getattr(base, "pooler", None) is not None:
            base.pooler = None
        return words, base.float()
    from peft import LoraConfig, inject_adapter_in_model

    config = LoraConfig(
        r=recipe.rank,
        lora_alpha=2 * recipe.rank,
        lora_dropout=recipe.dropout / 2,
        target_modules="all-linear",
    )
    for each in base.parameters():
        each.requires_grad_(False)
    return words, inject_adapter_in_model(config, base)
