"""Pretrained transformers, loaded: for training each anew, for use each once. Uses torch.

Whoever uses a base with adapters gets modules of his own around the same tensors, so that ten
models of one base take the memory of one, and no call has to switch adapters.
"""

from __future__ import annotations

import copy
import json
import threading
from collections.abc import Container
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from weakref import WeakValueDictionary

from torch import nn

from sqlfuncs.errors import BadOption
from sqlfuncs.learning.encoders.causal import is_causal
from sqlfuncs.learning.encoders.device import Device, precision, ready
from sqlfuncs.learning.encoders.pretrained import LOCAL, as_safetensors, loading
from sqlfuncs.learning.models.networks.recipe import Recipe
from sqlfuncs.store.weights import Weights
from sqlfuncs.wording import Given, Option


@dataclass(eq=False)
class Base:
    """A transformer without what it would pool or predict with, and its tokenizer.

    `shares` is what it has its tensors from, which lives as long as it does.
    """

    tokenizer: Any
    module: Any
    shares: Base | None = None


_shared: WeakValueDictionary[tuple[str, int, Device], Base] = WeakValueDictionary()
_sharing = threading.Lock()


def load(weights: Weights, recipe: Recipe, device: Device) -> Base:
    """A base of its own, in fp32 if all of it is to be trained, or if nothing else is quick there.

    It is on the processor still. Raises DamagedModel.
    """
    from transformers import AutoModel, AutoTokenizer

    causal = is_causal(weights.folder)
    if causal:
        folder, source = as_safetensors(weights)
    else:
        folder, source = transformer_folder(weights.folder), {"use_safetensors": True}
    with loading(weights.name, folder):
        words = AutoTokenizer.from_pretrained(folder, gguf_file=source.get("gguf_file"), **LOCAL)
        # Other kernels of attention take twice the time to go backward through short texts.
        source = {**source, "attn_implementation": "eager"}
        module: Any = AutoModel.from_pretrained(folder, **source, **LOCAL)
    if recipe.layers and causal:
        module.layers = module.layers[: recipe.layers]
        module.norm = nn.Identity()  # it was made for the layers that are gone
    if not recipe.rank:
        # A sentence embedding is a mean: what would pool its first token is not used.
        if getattr(module, "pooler", None) is not None:
            module.pooler = None
        # Most of an encoder's weights are its words', which a few thousand texts hardly touch.
        module.get_input_embeddings().requires_grad_(False)
    if not recipe.rank or precision(device) == "fp32":
        # On a processor that does not multiply in bf16, a step in it takes thirty times as long.
        module = module.float()
    for each in module.modules():
        # Drawing what is dropped takes a fifth of the time, and a few epochs gain nothing by it.
        if isinstance(each, nn.Dropout):
            each.p = 0.0
    return Base(words, module)


def share(weights: Weights, recipe: Recipe, device: Device) -> Base:
    """A base for use there, whose tensors are those of all that share it. Raises DamagedModel."""
    key = weights.digest, recipe.layers, device
    with _sharing:
        first = _shared.get(key)
        if first is None:
            first = load(weights, recipe, device)
            for each in ready(first.module, device).parameters():
                each.requires_grad_(False)
            _shared[key] = first
        tensors = [*first.module.parameters(), *first.module.buffers()]
        own = copy.deepcopy(first.module, {id(each): each for each in tensors})
    return Base(first.tokenizer, own, first)


def layers_of(weights: Weights) -> int:
    """How many layers a base has.

    Raises BadOption for one that has none to train, or needs code of its own to run.
    """
    try:
        about = _config(weights)
        if "auto_map" in about and about.get("model_type") not in _known_types():
            raise BadOption(
                f"{Option('base', Given(weights.name))} needs code of its own to be run, which "
                "sqlfuncs does not do. Take one that transformers knows: "
                f"{Option('base', 'minilm')} or 'smollm2'."
            )
        return int(about["num_hidden_layers"])
    except (OSError, ValueError, LookupError, TypeError):
        raise BadOption(
            f"{Option('base', Given(weights.name))} is no transformer whose layers could be "
            f"trained. Train {Option('base', 'fast')} or 'minilm' instead."
        ) from None


def _config(weights: Weights) -> dict[str, Any]:
    from transformers import AutoConfig

    if not is_causal(weights.folder):
        folder = transformer_folder(weights.folder)
    else:
        folder, source = as_safetensors(weights)
        if "gguf_file" in source:
            file = source["gguf_file"]
            read = AutoConfig.from_pretrained(folder, gguf_file=file, **LOCAL)
            return dict(read.to_dict())
    about: dict[str, Any] = json.loads((folder / "config.json").read_bytes())
    return about


def _known_types() -> Container[str]:
    from transformers import CONFIG_MAPPING

    known: Container[str] = CONFIG_MAPPING
    return known


def transformer_folder(folder: Path) -> Path:
    """Where the transformer of a sentence-transformers model is; else the folder itself."""
    listed = folder / "modules.json"
    if not listed.exists():
        return folder
    first = json.loads(listed.read_bytes())[0]
    return folder / str(first["path"])
