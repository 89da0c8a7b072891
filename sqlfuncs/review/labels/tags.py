"""Labels that are several tags each, none included."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from sqlfuncs.errors import BadInput
from sqlfuncs.learning.detection.verification import Candidates
from sqlfuncs.learning.labels.classes import in_order
from sqlfuncs.learning.rows.probabilities import Probabilities
from sqlfuncs.learning.tasks import suggested_tags
from sqlfuncs.review.labels.base import (
    MOST_KEYS,
    Codes,
    Form,
    InWords,
    Labels,
    Mask,
    Pair,
    Parts,
    Told,
    Trusted,
    flagged_rows,
    number,
)

_PAIRS = 20
_EVIDENCE = 4  # tags
_NONE = frozenset[str]()


@dataclass(frozen=True)
class Switch:
    """A tag of a row: whether it is on, and what the model would do: 'add', 'remove' or nothing."""

    name: str
    code: int
    is_on: bool
    is_given: bool
    doubt: str
    share: float | None


@dataclass(frozen=True)
class Switches:
    """The tags of a row: those that matter first, and the others."""

    first: Sequence[Switch]
    others: Sequence[Switch]


class Tags(Labels):
    """Lists of tags. `names` are all tags, in order; `told` how likely each is, NaN if unknown."""

    name = "tags"
    field = "tags"

    def __init__(
        self, given: Sequence[str | None], judged: pa.Table, more: Collection[str], parts: Parts
    ) -> None:
        super().__init__(given, judged, more, parts)
        self._sets: dict[str, frozenset[str] | None] = {}
        lists = {text for text in (*given, *more) if text is not None}
        named = Probabilities.read(judged["class_probs"].combine_chunks()).classes
        self.names = in_order({tag for text in lists for tag in self._of(text)}.union(named))
        self.choices_given = self.names
        self.choices_suggested = [f"{sign} {tag}" for tag in self.names for sign in "+−"]

    def _of(self, text: str | None) -> frozenset[str]:
        """The tags of a label. One that holds NULL is none, and has none."""
        return self._set(text) or _NONE

    def _set(self, text: str | None) -> frozenset[str] | None:
        """The same; None for what is no label."""
        if text is None:
            return None
        if text not in self._sets:
            found = self._parts_of(text)
            self._sets[text] = None if found is None else frozenset(found)
        return self._sets[text]

    def told(self, learned: pa.Table) -> Told:
        """Probabilities (rows, tags)."""
        probs = Probabilities.read(learned["class_probs"].combine_chunks())
        place = {name: at for at, name in enumerate(self.names)}
        found = np.full((len(learned), len(self.names)), np.nan, np.float32)
        for at, name in enumerate(probs.classes):
            if name in place:
                found[:, place[name]] = np.where(probs.has[:, at], probs.values[:, at], np.nan)
        return found

    def candidates(self, given: Sequence[str | None], judged: pa.Table) -> Candidates:
        """The flagged ones."""
        return suggested_tags.suggestions(flagged_rows(given, judged, self._as_json)).found

    def outcome(self, given: str, suggested: str, true: str) -> tuple[bool, bool]:
        """Right if fewer of its tags differ from the true ones, harmful if more do."""
        wrong = [len(self._of(text) ^ self._of(true)) for text in (given, suggested)]
        return wrong[1] < wrong[0], wrong[1] > wrong[0]

    def is_given(self, given: Codes, choice: int) -> Mask:
        """Rows that have a tag."""
        known = choice in range(len(self.names))
        return self._with(self.names[choice], given) if known else super().is_given(given, choice)

    def is_suggested(self, given: Codes, suggested: Codes, choice: int) -> Mask:
        """Rows to which a tag is to be added (even choices), or from which it is to be taken."""
        if choice not in range(2 * len(self.names)):
            return super().is_suggested(given, suggested, choice)
        tag, is_removed = self.names[choice // 2], bool(choice % 2)
        one, other = (given, suggested) if is_removed else (suggested, given)
        return self._with(tag, one) & ~self._with(tag, other)

    def _with(self, tag: str, codes: Codes) -> Mask:
        """(rows,): whether labels have a tag."""
        has = np.array([*(tag in self._of(text) for text in self.texts), False])
        found: Mask = has[codes]  # of no label that of the last place
        return found

    def pairs(self, given: Codes, suggested: Codes) -> list[Pair]:
        """The tags that are to be added and taken away most often."""
        counts = Counter[int]()
        at = {tag: place for place, tag in enumerate(self.names)}
        differ = given != suggested
        for one, other in zip(given[differ].tolist(), suggested[differ].tolist(), strict=True):
            before, after = self._of(self.text(one)), self._of(self.text(other))
            counts.update(2 * at[tag] for tag in after - before)
            counts.update(2 * at[tag] + 1 for tag in before - after)
        return [
            Pair(self.choices_suggested[choice], None, choice, rows)
            for choice, rows in counts.most_common(_PAIRS)
        ]

    def parts(self, text: str) -> Sequence[str]:
        """Its tags."""
        return sorted(self._of(text)) or (text if self._set(text) is None else "no tags",)

    def change(self, given: str | None, suggested: str) -> str:
        """What is added and taken away."""
        before, after = self._of(given), self._of(suggested)
        signs = [f"+ {tag}" for tag in sorted(after - before)]
        signs += [f"− {tag}" for tag in sorted(before - after)]
        return ", ".join(signs) or suggested

    def shown(
        self,
        given: str | None,
        suggested: str | None,
        told: Told,
        typed: str | None,
        content: object,
    ) -> Switches:
        """First the tags that the row has or may have, the likeliest first; nine at least."""
        has, may = self._of(given), self._of(given if suggested is None else suggested)
        on = has if typed is None else self._chosen(typed.split(","))
        likely = np.nan_to_num(told.astype(float), nan=-1)
        order = sorted(
            range(len(self.names)),
            key=lambda at: (self.names[at] not in has | may | on, -likely[at]),
        )
        switches = [
            Switch(
                name,
                at,
                name in on,
                name in has,
                "add" if name in may - has else "remove" if name in has - may else "",
                None if np.isnan(told[at]) else float(told[at]),
            )
            for at, name in ((at, self.names[at]) for at in order)
        ]
        first = max(MOST_KEYS, len(has | may | on))
        return Switches(switches[:first], switches[first:])

    def trusted(self, given: int, suggested: int, in_force: Codes) -> list[Trusted]:
        """Rows that have a tag which is doubted, or is missing."""
        doubted = self._of(self.text(given)) ^ self._of(self.text(suggested))
        doubted = doubted if suggested >= 0 else _NONE
        return [Trusted(tag, self._with(tag, in_force)) for tag in sorted(doubted)[:_EVIDENCE]]

    def read(self, form: Form, in_words: InWords) -> str | None:
        """Tags that are switched on: their numbers in the fields `tag`, where `tags` is there."""
        if self.field not in form:
            return super().read(form, in_words)
        on = self._chosen(form.get("tag", ()))
        return in_words(json.dumps([tag for tag in self.names if tag in on], ensure_ascii=False))

    def _chosen(self, codes: Iterable[str]) -> frozenset[str]:
        numbers = [(code, number(code)) for code in codes if code]
        for code, at in numbers:
            if at is None or at >= len(self.names):
                raise BadInput(
                    f"there is no tag number {code!r}. There are {len(self.names)} tags."
                )
        return frozenset(self.names[at] for _, at in numbers if at is not None)

    def typed(self, form: Form) -> str | None:
        """The numbers of the tags that are switched on."""
        return ",".join(form.get("tag", ())) if self.field in form else None

    def is_same(self, one: str, other: str | None) -> bool:
        """The order of tags is none of a label's, and twice is once."""
        tags = self._set(other)
        return tags is not None and self._set(one) == tags

    def _as_json(self, text: str) -> str | None:
        tags = self._set(text)
        return None if tags is None else json.dumps(sorted(tags))
