"""`fake:`, a model that follows a script: for tests, dry runs and budgets. Costs nothing.

`fake:` alone gives a text the label whose name stands in it, else the first; asked for any number
of labels, all whose names stand in it. `fake:FILE.json` follows a script:

    {"answers": {"some text": "a label"},    what to answer, by text; null for a refusal, and a list
                                             of labels where any number is asked for
     "otherwise": "a label",                 to all other texts; as `fake:` alone without it
     "seconds": 0.05,                        how long each request takes
     "tokens": 20}                           how many tokens each text is said to cost
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Any

from sqlfuncs.llm.failures import Declined, Unusable
from sqlfuncs.llm.task import Task
from sqlfuncs.store.answer_rows import Answer

_KNOWN = {"answers", "otherwise", "seconds", "tokens"}


class ScriptedProvider:
    """A model that follows a script."""

    requests_at_once = 8
    texts_at_once = 1

    def __init__(self, name: str) -> None:
        """`name` is the path of a script, or empty."""
        self._file = Path(name).expanduser() if name else None

    @cached_property
    def identity(self) -> str:
        """By the script's content."""
        return f"fake:{sha256(json.dumps(self._script, sort_keys=True).encode()).hexdigest()[:16]}"

    def check(self) -> None:
        """The script can be read."""
        assert self._script is not None

    def ask(self, task: Task, texts: Sequence[str], *, again: bool = False) -> list[Answer]:
        """What the script says, again or not."""
        time.sleep(float(self._script.get("seconds", 0)))
        return [self._answer(task, text) for text in texts]

    def _answer(self, task: Task, text: str) -> Answer:
        answer = self._script.get("answers", {}).get(text, self._script.get("otherwise", ""))
        if answer is None:
            raise Declined("the script declines to answer this text")
        tokens = int(self._script.get("tokens", 0))
        labels = _labels(task, text, answer)
        if labels is None:
            return Answer(None, f"the model answered '{answer}', which is none of the labels")
        certain = {name: float(name in labels) for name in task.labels}
        return Answer(labels, probabilities=certain, input_tokens=tokens, output_tokens=1)

    @cached_property
    def _script(self) -> Mapping[str, Any]:
        if self._file is None:
            return {}
        try:
            script = json.loads(self._file.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise Unusable(f"the script {self._file} cannot be read: {error}") from None
        if not isinstance(script, dict) or not script.keys() <= _KNOWN:
            raise Unusable(f"the script {self._file} may hold {', '.join(sorted(_KNOWN))}.")
        return script


def _labels(task: Task, text: str, answer: str | list[str]) -> tuple[str, ...] | None:
    """What an answer of the script, or without one the text, says; None if that is no label."""
    if answer == "":
        named = tuple(name for name in task.labels if name in text)
        return named if task.multi else named[:1] or task.labels[:1]
    labels = answer if isinstance(answer, list) else [answer]
    is_one_too_many = len(labels) != 1 and not task.multi
    return None if is_one_too_many or set(labels) - {*task.labels} else tuple(labels)
