"""Transformers so small that they train in a second: random weights, a word a token."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

WORDS = ["late", "parcel", "lost", "bill", "money", "refund", "the", "my", "is", "why", "and"]


def encoder(folder: Path, layers: int = 2, seed: int | None = None) -> Path:
    """A BERT of a few layers, saved in `folder`; the same one again for the same `seed`."""
    from transformers import BertConfig, BertModel

    config = BertConfig(
        vocab_size=len(WORDS) + 2,
        hidden_size=32,
        num_hidden_layers=layers,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=300,
    )
    with _seeded(seed):
        return _saved(BertModel(config), folder)


def causal(folder: Path, dtype: Any = None, seed: int | None = None) -> Path:
    """A Llama of five layers, saved in `folder`; `dtype` is torch's, of its numbers."""
    from transformers import LlamaConfig, LlamaForCausalLM

    config = LlamaConfig(
        vocab_size=len(WORDS) + 2,
        hidden_size=32,
        num_hidden_layers=5,
        num_attention_heads=2,
        num_key_value_heads=2,
        intermediate_size=64,
        max_position_embeddings=300,
    )
    with _seeded(seed):
        return _saved(LlamaForCausalLM(config).to(dtype), folder)


def rows(count: int) -> tuple[list[str], list[str]]:
    """Texts and their labels, which one word gives away."""
    texts, labels = [], []
    for at in range(count):
        label, word = [("delivery", WORDS[at % 3]), ("billing", WORDS[3 + at % 3])][at % 2]
        others = [WORDS[6 + (at * step) % 5] for step in range(1, 2 + at % 5)]
        texts.append(" ".join([*others, word, f"unknown{at}"]))
        labels.append(label)
    return texts, labels


@contextmanager
def _seeded(seed: int | None) -> Iterator[None]:
    """Random weights as `seed` draws them, and as nobody knows for None."""
    import torch

    with torch.random.fork_rng(enabled=seed is not None):
        if seed is not None:
            torch.manual_seed(seed)
        yield


def _saved(model: Any, folder: Path) -> Path:
    from tokenizers import Tokenizer
    from tokenizers.models import WordLevel
    from tokenizers.pre_tokenizers import Whitespace
    from transformers import PreTrainedTokenizerFast

    vocabulary = {word: place for place, word in enumerate(["[PAD]", "[UNK]", *WORDS])}
    words = Tokenizer(WordLevel(vocabulary, unk_token="[UNK]"))
    words.pre_tokenizer = Whitespace()
    fast = PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_object=words, unk_token="[UNK]", pad_token="[PAD]", model_max_length=300
    )
    model.save_pretrained(folder)
    fast.save_pretrained(folder)
    return folder
