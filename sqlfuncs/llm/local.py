"""`local:MODEL`: a causal language model in this process. Uses torch when asked.

The model writes nothing: each label is scored as the answer, by the probability of its tokens,
so the answer is always a label and comes with probabilities. What all texts share (the
instructions and labels before the text) is computed once; all labels of a text are scored in
the one pass that reads it, each blind to the others. Small models favour some labels whatever
the text; that is measured on a text without content and divided out (Zhao et al.: Calibrate
before use, ICML 2021, section 4).
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from importlib.util import find_spec
from typing import Any

import numpy as np
import numpy.typing as npt

from sqlfuncs import work
from sqlfuncs.errors import MissingExtra
from sqlfuncs.learning.encoders.batches import WAY, in_batches, precision, ready, tokenized
from sqlfuncs.learning.encoders.pretrained import LOCAL, as_safetensors, loading, tokenizer
from sqlfuncs.llm.failures import Unusable
from sqlfuncs.llm.task import Task
from sqlfuncs.store import weights
from sqlfuncs.store.answer_rows import Answer
from sqlfuncs.wording import Option

_MAX_TOKENS = 1024  # of a text
_NO_CONTENT = "N/A"

Scores = npt.NDArray[np.float32]
Tokens = list[int]


@dataclass(frozen=True)
class _Frame:
    """The tokens around a text, and those of each label after it, with the end of the turn.

    `cache` holds keys and values of each layer for what stands before the text.
    """

    before: Tokens
    after: Tokens
    labels: tuple[Tokens, ...]
    cache: list[tuple[Any, Any]]


class LocalProvider:
    """Labels scored by a causal language model."""

    requests_at_once = 1
    texts_at_once = 64

    def __init__(self, name: str) -> None:
        """`name` is 'smollm2', the id of the hub or a path. Raises MissingExtra, BadOption."""
        if find_spec("transformers") is None:
            raise MissingExtra.needed_for(f"The model 'local:{name}'", "local")
        self._full_name = weights.full_name(name)
        self._lock = threading.Lock()
        self._frames: dict[str, _Frame] = {}
        self._without_content: dict[str, Scores] = {}

    @cached_property
    def _weights(self) -> weights.Weights:
        return weights.get(self._full_name)

    @property
    def identity(self) -> str:
        """By the digest of its weights, and the way they are run."""
        return f"local:{self._full_name}@{self._weights.digest[:16]}:{precision()}:{WAY}"

    def check(self) -> None:
        """Its weights are here and are those of a causal language model."""
        from sqlfuncs.learning.encoders.causal import is_causal

        if not is_causal(self._weights.folder):
            raise Unusable(
                f"{self._full_name} is no causal language model, which 'local:...' needs; for "
                "example 'local:smollm2'."
            )

    def ask(self, task: Task, texts: Sequence[str], *, again: bool = False) -> list[Answer]:
        """One pass over each text; there is always a label, and never an `again`."""
        if task.multi:
            raise Unusable(
                f"a local model scores one label for each text; {Option('multi', True)} is not it."
            )
        with self._lock:
            frame = self._frame(task)
            own, is_cut = self._tokens(texts)
            scores = self._scores(frame, own) - self._of_nothing(task, frame)
        probs = np.exp(scores - scores.max(axis=1, keepdims=True)).astype(np.float64)
        probs /= probs.sum(axis=1, keepdims=True)
        answers = []
        for at, each in enumerate(probs.tolist()):
            answer = Answer(
                (task.labels[int(np.argmax(each))],),
                probabilities=dict(zip(task.labels, each, strict=True)),
                input_tokens=len(frame.before) + len(own[at]) + len(frame.after),
            )
            note = f"only its first {_MAX_TOKENS:,} tokens were read"
            answers.append(replace(answer, note=note) if is_cut[at] else answer)
        return answers

    def _tokens(self, texts: Sequence[str]) -> tuple[list[Tokens], list[bool]]:
        """The tokens of texts, in which none is a sign to the model, and which texts are cut."""
        model_tokenizer, _ = self._loaded
        found = tokenized(
            model_tokenizer,
            texts,
            _MAX_TOKENS + 1,
            add_special_tokens=False,
            split_special_tokens=True,
        )
        return [ids[:_MAX_TOKENS] for ids in found], [len(ids) > _MAX_TOKENS for ids in found]

    def _of_nothing(self, task: Task, frame: _Frame) -> Scores:
        """The scores of a text without content."""
        if task.canonical not in self._without_content:
            nothing, _ = self._tokens([_NO_CONTENT])
            self._without_content[task.canonical] = self._scores(frame, nothing)
        return self._without_content[task.canonical]

    def _scores(self, frame: _Frame, texts: Sequence[Tokens]) -> Scores:
        """The logarithm of the probability of each label: (texts, labels)."""
        scores = np.empty((len(texts), len(frame.labels)), dtype=np.float32)
        tree = _tree(frame)
        rows = [text + frame.after + tree.tokens for text in texts]
        for places, found in in_batches(rows, lambda ids: self._run(frame, tree, ids)):
            work.check()
            scores[places] = found
        return scores

    def _run(self, frame: _Frame, tree: _Tree, ids: Any) -> Scores:
        import torch
        from transformers import DynamicCache

        _, model = self._loaded
        rows, length = ids.shape
        stem, start = length - len(tree.tokens), len(frame.before)
        cache = DynamicCache()
        for layer, (keys, values) in enumerate(frame.cache):
            cache.update(keys.expand(rows, -1, -1, -1), values.expand(rows, -1, -1, -1), layer)
        places = torch.tensor([*range(stem), *(stem + depth for depth in tree.depths)]) + start
        sees = torch.ones(length, start + length, dtype=torch.bool).tril(diagonal=start)
        own = torch.tensor(tree.sees, dtype=torch.bool).reshape(len(tree.tokens), -1)
        sees[stem:, start + stem :] = own
        mask = torch.zeros(sees.shape, dtype=model.dtype)
        mask.masked_fill_(~sees, torch.finfo(model.dtype).min)
        logits = model(
            input_ids=ids,
            attention_mask=mask[None, None].expand(rows, 1, -1, -1),
            position_ids=places[None].expand(rows, -1),
            past_key_values=cache,
            use_cache=True,
            logits_to_keep=torch.arange(stem - 1, length),
        ).logits.float()
        likely = torch.log_softmax(logits, dim=-1)
        # What stands after the text is at 0, the tree's tokens follow.
        each = [
            torch.stack([likely[:, 0 if at is None else 1 + at, token] for at, token in path])
            for path in tree.paths
        ]
        scores: Scores = torch.stack([path.sum(dim=0) for path in each], dim=1).numpy()
        return scores

    def _frame(self, task: Task) -> _Frame:
        key = task.canonical
        if key not in self._frames:
            self._frames[key] = self._made(task)
        return self._frames[key]

    def _made(self, task: Task) -> _Frame:
        import torch

        model_tokenizer, model = self._loaded
        before, after, end = _template(model_tokenizer, task)
        split = {"add_special_tokens": False}
        first = model_tokenizer(before, **split)["input_ids"] or [model_tokenizer.eos_token_id]
        labels = tuple(model_tokenizer(label + end, **split)["input_ids"] for label in task.labels)
        with torch.inference_mode():
            cache = model(input_ids=torch.tensor([first]), use_cache=True).past_key_values
        kept = [(layer.keys, layer.values) for layer in cache.layers]
        return _Frame(first, model_tokenizer(after, **split)["input_ids"], labels, kept)

    @cached_property
    def _loaded(self) -> tuple[Any, Any]:
        from transformers import AutoModelForCausalLM

        folder, source = as_safetensors(self._weights)
        with loading(self._full_name, folder):
            model_tokenizer = tokenizer(folder, source)
            model = AutoModelForCausalLM.from_pretrained(
                folder, attn_implementation="eager", **source, **LOCAL
            )
        return model_tokenizer, ready(model)


@dataclass(frozen=True)
class _Tree:
    """The labels' tokens after a text, those before each one's last, side by side.

    `depths` (tokens,) say how far from the text each stands in its label; `sees` (tokens,
    tokens) which it follows. `paths` has for each label its tokens, and after which of the tree
    each comes (None: the text).
    """

    tokens: Tokens
    depths: list[int]
    sees: list[list[bool]]
    paths: tuple[list[tuple[int | None, int]], ...]


def _tree(frame: _Frame) -> _Tree:
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
    return _Tree(tokens, depths, sees, tuple(paths))


def _template(model_tokenizer: Any, task: Task) -> tuple[str, str, str]:
    """What stands before a text and after it, and what ends an answer."""
    mark = _mark(task)
    chat = [{"role": "system", "content": _instructions(task)}]
    for example in task.examples:
        chat.append({"role": "user", "content": f"Text: {example.text}\n\nLabel:"})
        chat.append({"role": "assistant", "content": example.labels[0]})
    chat.append({"role": "user", "content": f"Text: {mark}\n\nLabel:"})
    if getattr(model_tokenizer, "chat_template", None):
        whole = model_tokenizer.apply_chat_template(
            [*chat, {"role": "assistant", "content": mark}], tokenize=False
        )
        before, after, end = whole.split(mark)
        return before, after, end.rstrip("\n")
    before, after = "\n\n".join(message["content"] for message in chat).split(mark)
    return before, f"{after} ", "\n"


def _mark(task: Task) -> str:
    """What stands for the text in a template, and is in nothing else that the model is told."""
    mark = "\ue000"
    while mark in task.canonical:
        mark = f"\ue000{secrets.token_hex(8)}\ue000"
    return mark


def _instructions(task: Task) -> str:
    labels = "\n".join(
        f"- {name}" + (f": {meaning}" if meaning else "")
        for name, meaning in zip(task.labels, task.meanings, strict=True)
    )
    about = f"{task.instructions}\n" if task.instructions else ""
    return f"You label texts. Answer with one of these labels, and nothing else.\n{about}{labels}"
