"""`local:MODEL`: a causal language model in this process. Uses torch when asked.

The model writes nothing: each label is scored as the answer, by the probability of its tokens,
so the answer is always a label and comes with probabilities. What all texts share (the
instructions and labels before the text) is computed once; all labels of a text are scored in
the one pass that reads it, each blind to the others. Where any number may apply, "yes" and "no"
are scored for each label instead. Where one is asked for, small models favour some labels whatever
the text; that is measured on a text without content and divided out (Zhao et al.: Calibrate
before use, ICML 2021, section 4).
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cached_property
from importlib.util import find_spec
from typing import Any

import numpy as np
import numpy.typing as npt

from sqlfuncs import work
from sqlfuncs.errors import MissingExtra
from sqlfuncs.learning.encoders.batches import WAY, tokenized
from sqlfuncs.learning.encoders.device import CPU, devices, way
from sqlfuncs.learning.encoders.pretrained import LOCAL, as_safetensors, loading, tokenizer
from sqlfuncs.learning.encoders.reading import Replicas, read_tokens
from sqlfuncs.llm.failures import Unusable
from sqlfuncs.llm.label_scores import Frame, Tokens, label_scores, tree_of
from sqlfuncs.llm.local_prompt import NO, YES, template
from sqlfuncs.llm.task import Task
from sqlfuncs.store import weights
from sqlfuncs.store.answer_rows import Answer

_MAX_TOKENS = 1024  # of a text
_NO_CONTENT = "N/A"
_MOST_AFTER = 4096  # tokens of all labels that are read after a text in one pass
_TEXTS, _TEXTS_OF_GPU = 64, 1024  # of one call of `ask`

Scores = npt.NDArray[np.float32]


class LocalProvider:
    """Labels scored by a causal language model."""

    def __init__(self, name: str) -> None:
        """`name` is 'smollm2', the id of the hub or a path. Raises MissingExtra, BadOption."""
        if find_spec("transformers") is None:
            raise MissingExtra.needed_for(f"The model 'local:{name}'", "local")
        self._full_name = weights.full_name(name)
        self._lock, self._splitting = threading.Lock(), threading.Lock()
        self._frames: dict[str, Frame] = {}
        self._without_content: dict[str, Scores] = {}

    @cached_property
    def _weights(self) -> weights.Weights:
        return weights.get(self._full_name)

    @property
    def identity(self) -> str:
        """By the digest of its weights, and the way they are run now."""
        return f"local:{self._full_name}@{self._weights.digest[:16]}:{way(devices()[0])}:{WAY}"

    @property
    def requests_at_once(self) -> int:
        """On a GPU two: one is split into tokens while the other is read."""
        return 1 if devices() == (CPU,) else 2

    @property
    def texts_at_once(self) -> int:
        """As many as keep the processor, or GPUs, busy."""
        on = devices()
        return _TEXTS if on == (CPU,) else _TEXTS_OF_GPU * len(on)

    def check(self) -> None:
        """Its weights are here and are those of a causal language model."""
        from sqlfuncs.learning.encoders.causal import is_causal

        if not is_causal(self._weights.folder):
            raise Unusable(
                f"{self._full_name} is no causal language model, which 'local:...' needs; for "
                "example 'local:smollm2'."
            )

    def ask(self, task: Task, texts: Sequence[str], *, again: bool = False) -> list[Answer]:
        """One pass over each text; there is always an answer, and never an `again`."""
        with self._lock:
            frame = self._frame(task)
        own, is_cut = self._tokens(texts)
        with self._lock:
            scores = self._scores(frame, own)
            if not task.multi:  # of a text without content "no" is the answer, and no favour
                scores -= self._of_nothing(task, frame)
        if task.multi:  # of each label yes and no, side by side
            probs = _softmax(scores.reshape(-1, 2)).reshape(len(own), -1, 2)[:, :, 0]
            applies = probs > 0.5
        else:
            probs = _softmax(scores)
            applies = np.eye(len(task.labels), dtype=bool)[probs.argmax(axis=1)]
        answers = []
        for at, each in enumerate(probs.tolist()):
            answer = Answer(
                tuple(name for name, one in zip(task.labels, applies[at], strict=True) if one),
                probabilities=dict(zip(task.labels, each, strict=True)),
                input_tokens=len(frame.before) + len(own[at]) + len(frame.after),
            )
            note = f"only its first {_MAX_TOKENS:,} tokens were read"
            answers.append(replace(answer, note=note) if is_cut[at] else answer)
        return answers

    def _tokens(self, texts: Sequence[str]) -> tuple[list[Tokens], list[bool]]:
        """The tokens of texts, in which none is a sign to the model, and which texts are cut."""
        model_tokenizer, _ = self._loaded
        with self._splitting:  # a tokenizer keeps how long a text may be: one call at a time
            found = tokenized(
                model_tokenizer,
                texts,
                _MAX_TOKENS + 1,
                add_special_tokens=False,
                split_special_tokens=True,
            )
        return [ids[:_MAX_TOKENS] for ids in found], [len(ids) > _MAX_TOKENS for ids in found]

    def _of_nothing(self, task: Task, frame: Frame) -> Scores:
        """The scores of a text without content."""
        if task.canonical not in self._without_content:
            nothing, _ = self._tokens([_NO_CONTENT])
            self._without_content[task.canonical] = self._scores(frame, nothing)
        return self._without_content[task.canonical]

    def _scores(self, frame: Frame, texts: Sequence[Tokens]) -> Scores:
        """The logarithm of the probability of each label: (texts, labels)."""
        return np.hstack([self._part_scores(part, texts) for part in _parts(frame)])

    def _part_scores(self, frame: Frame, texts: Sequence[Tokens]) -> Scores:
        scores = np.empty((len(texts), len(frame.labels)), dtype=np.float32)
        tree = tree_of(frame)
        rows = [text + frame.after + tree.tokens for text in texts]

        def run(model: Any, ids: Any) -> Any:
            return label_scores(model, frame, tree, ids)

        for places, found, _ in read_tokens(rows, run, self._model):
            work.check()
            scores[places] = found
        return scores

    def _frame(self, task: Task) -> Frame:
        key = task.canonical
        if key not in self._frames:
            self._frames[key] = self._made(task)
            if devices() == (CPU,):  # with all of its threads, while batches have one each
                self._frames[key].cache(self._model.on(CPU))
        return self._frames[key]

    def _made(self, task: Task) -> Frame:
        model_tokenizer, _ = self._loaded
        before, after, *asks, end = template(model_tokenizer, task)

        def tokens(text: str) -> Tokens:
            found: Tokens = model_tokenizer(text, add_special_tokens=False)["input_ids"]
            return found

        with self._splitting:
            first, behind = tokens(before), tokens(after)
            if task.multi:
                (asked,) = asks
                yes_no = tokens(YES + end), tokens(NO + end)
                each = [tokens(name + asked) for name in task.labels]
                labels = tuple(name + answer for name in each for answer in yes_no)
            else:
                labels = tuple(tokens(name + end) for name in task.labels)
        return Frame(first or [model_tokenizer.eos_token_id], behind, labels)

    @cached_property
    def _model(self) -> Replicas:
        return Replicas(self._loaded[1])

    @cached_property
    def _loaded(self) -> tuple[Any, Any]:
        from transformers import AutoModelForCausalLM

        folder, source = as_safetensors(self._weights)
        with loading(self._full_name, folder):
            model_tokenizer = tokenizer(folder, source)
            model = AutoModelForCausalLM.from_pretrained(
                folder, attn_implementation="eager", **source, **LOCAL
            )
        return model_tokenizer, model


def _softmax(scores: Scores) -> npt.NDArray[np.float64]:
    """Probabilities along the last axis."""
    probs = np.exp(scores - scores.max(axis=-1, keepdims=True)).astype(np.float64)
    likely: npt.NDArray[np.float64] = probs / probs.sum(axis=-1, keepdims=True)
    return likely


def _parts(frame: Frame) -> Iterator[Frame]:
    """A frame with so many of its labels as are read in one pass, again and again."""
    begun, tokens = 0, 0
    for at, label in enumerate(frame.labels):
        if tokens and tokens + len(label) > _MOST_AFTER:
            yield replace(frame, labels=frame.labels[begun:at])
            begun, tokens = at, 0
        tokens += len(label)
    yield replace(frame, labels=frame.labels[begun:])
