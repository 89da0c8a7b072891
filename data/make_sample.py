"""Make the sample data set: synthetic support requests with realistic label errors.

Everything here is invented: no customer wrote these texts and no person labelled them. They are
composed from the phrases in ``phrases.json``. The seed is fixed (``SEED``, 20240517) and only
``random.Random.random`` is used, so every Python version writes the same bytes.

What is simulated: a shop's support desk sorts incoming texts into ``billing``, ``delivery``,
``product`` and ``account``. The guideline is "the team that has to act". Most texts have one
topic; some mention a second one in passing, and some could go either way (a refund for a late
parcel). Five annotators with different habits each label a random 60 % of the training rows:

* ``ann_1`` is careful, ``ann_5`` is unreliable;
* ``ann_2`` sends texts to billing as soon as money is mentioned;
* ``ann_3`` is quick and goes by the first topic that comes to mind;
* ``ann_4`` uses product as the catch-all class.

The ``label`` of a training row is the vote of one of its annotators, drawn at random. So wrong
labels are not spread evenly: they gather in the texts that are easily confused. The files are:

* ``support_requests.csv``: ``id, text, label, true_label`` (training rows, ``label`` is noisy);
* ``support_requests_test.csv``: ``id, text, label`` (clean);
* ``support_requests_votes.csv``: ``id, annotator, label`` (one row for each vote).

Run ``python data/make_sample.py`` to rewrite the three files byte for byte, or
``python data/make_sample.py --check`` to compare only: exit status 1 if a file differs.
"""

from __future__ import annotations

import argparse
import csv
import io
import json
import math
import re
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from typing import Any, TypeVar

SEED = 20240517
HERE = Path(__file__).resolve().parent
CLASSES = ("billing", "delivery", "product", "account")
CLASS_SHARES = (0.27, 0.29, 0.25, 0.19)

N_TRAIN = 1500
N_TEST = 400
N_EXACT_COPIES = 24  # of the training rows
N_NEAR_COPIES = 36
VOTE_RATE = 0.6

P_SHORT = 0.03  # a few words only
P_MIXED = 0.40  # could go to either of two teams
P_CONTEXT = 0.40  # one topic, and another one mentioned in passing

QUESTION = re.compile(
    r"(^|, )(any|can|could|do|does|how|is|isn't|what|what's|when|where|which|who|why|will)\b"
    r"(?! (it|I) (is|was|[a-z]+ed))[^,]*$",
    re.IGNORECASE,
)
T = TypeVar("T")


class Dice:
    """Choices from ``Random.random`` alone: its sequence is kept across Python versions."""

    def __init__(self, seed: int) -> None:
        self._random = Random(seed)

    def chance(self, probability: float) -> bool:
        return self._random.random() < probability

    def below(self, n: int) -> int:
        return int(self._random.random() * n)

    def pick(self, options: Sequence[T]) -> T:
        return options[self.below(len(options))]

    def weighted(self, options: Sequence[T], weights: Sequence[float]) -> T:
        point = self._random.random() * math.fsum(weights)
        for option, weight in zip(options, weights, strict=True):
            point -= weight
            if point < 0:
                return option
        return options[-1]

    def shuffled(self, items: Iterable[T]) -> list[T]:
        return sorted(items, key=lambda _: self._random.random())


@dataclass(frozen=True)
class Request:
    """A text, the team that has to act, and the team it is easily taken for (or ``None``)."""

    text: str
    label: str
    other: str | None = None
    ambiguous: bool = False


@dataclass(frozen=True)
class Annotator:
    """How often somebody errs on clear texts, on texts with a second topic, on ambiguous ones."""

    name: str
    clear: float
    context: float
    ambiguous: float
    leaning: str | None = None  # a class that is preferred when in doubt

    def vote(self, request: Request, dice: Dice) -> str:
        rate = self.clear
        if request.ambiguous:
            rate = LEANING_ERROR if request.other == self.leaning else self.ambiguous
        elif request.other is not None:
            rate = self.context
        if not dice.chance(rate):
            return request.label
        if request.other is not None and dice.chance(0.85):
            return request.other
        if self.leaning not in (None, request.label) and dice.chance(0.7):
            return str(self.leaning)
        return dice.pick([name for name in CLASSES if name != request.label])


LEANING_ERROR = 0.6
ANNOTATORS = (
    Annotator("ann_1", clear=0.02, context=0.03, ambiguous=0.10),
    Annotator("ann_2", clear=0.04, context=0.08, ambiguous=0.15, leaning="billing"),
    Annotator("ann_3", clear=0.07, context=0.13, ambiguous=0.33),
    Annotator("ann_4", clear=0.07, context=0.11, ambiguous=0.22, leaning="product"),
    Annotator("ann_5", clear=0.17, context=0.23, ambiguous=0.43),
)


class Writer:
    """Composes texts from the phrase file."""

    def __init__(self, phrases: dict[str, Any], dice: Dice) -> None:
        self.phrases = phrases
        self.dice = dice

    def fill(self, template: str) -> str:
        """Resolve ``[this|that]`` and ``{slot}``; ``{d3}`` is a number of three digits."""

        def option(match: re.Match[str]) -> str:
            return self.dice.pick(str(match[1]).split("|"))

        def slot(match: re.Match[str]) -> str:
            name = str(match[1])
            if re.fullmatch(r"d\d", name):
                low = 10 ** (int(name[1]) - 1)
                return str(low + self.dice.below(9 * low))
            return self.fill(self.dice.pick(self.phrases["slots"][name]))

        return re.sub(r"\{(\w+)\}", slot, re.sub(r"\[([^\]]*)\]", option, template))

    def request(self) -> Request:
        dice, phrases = self.dice, self.phrases
        label = dice.weighted(CLASSES, CLASS_SHARES)
        kind = dice.weighted(("short", "mixed", "plain"), (P_SHORT, P_MIXED, 1 - P_SHORT - P_MIXED))
        if kind == "plain":
            return self._plain(label)
        pairs = [key for key in phrases[kind] if key.startswith(label + ">")]
        pair = dice.weighted(pairs, [len(phrases[kind][key]) for key in pairs])
        core = self.fill(dice.pick(phrases[kind][pair]))
        other = pair.partition(">")[2]
        text = core if kind == "short" else self._compose(core, label, "")
        return Request(self._roughen(text), label, other, ambiguous=True)

    def _plain(self, label: str) -> Request:
        dice = self.dice
        core = self.fill(dice.pick(self.phrases["situations"][label]))
        other, context = None, ""
        if dice.chance(P_CONTEXT):
            other = dice.pick([name for name in CLASSES if name != label])
            context = self.fill(dice.pick(self.phrases["context"][other]))
        return Request(self._roughen(self._compose(core, label, context)), label, other)

    def _compose(self, core: str, label: str, context: str) -> str:
        dice, phrases = self.dice, self.phrases
        tone = dice.weighted(("polite", "angry", "terse"), (0.45, 0.2, 0.35))
        core += "?" if QUESTION.search(core) else "!" if tone == "angry" else "."
        parts = [core]
        if context:
            parts.insert(dice.below(2), context)
        if dice.chance(0.12 if tone == "terse" else 0.3):
            parts.insert(dice.below(len(parts) + 1), self.fill(dice.pick(phrases["detail"])))
        if dice.chance(0.15 if tone == "terse" else 0.4):
            kind = label if dice.chance(0.3) else "any"
            parts.append(self.fill(dice.pick(phrases["request"][kind])))
        opener = dice.pick(phrases["opener"][tone]) if dice.chance(0.6) else ""
        closer = dice.pick(phrases["closer"][tone]) if dice.chance(0.5) else ""
        gap = "\n" if tone == "polite" and dice.chance(0.12) else " "
        return gap.join(part for part in (opener, " ".join(parts), closer) if part)

    def _roughen(self, text: str) -> str:
        """Add what hurried people do to a text: no capitals, no full stop, short forms, typos."""
        dice = self.dice
        if dice.chance(0.15):
            for long, short in ((r"\b[Pp]lease\b", "pls"), (r"\byou\b", "u"), (r"\band\b", "&")):
                text = re.sub(long, short, text)
        while dice.chance(0.22):
            text = self._typo(text)
        if dice.chance(0.2):
            text = text.lower()
        elif dice.chance(0.02):
            text = text.upper()
        return text.rstrip(".") if dice.chance(0.25) else text

    def _typo(self, text: str) -> str:
        spots = [match.start() for match in re.finditer(r"(?<=[a-z])[a-z](?=[a-z]{2})", text)]
        if not spots:
            return text
        i = self.dice.pick(spots)
        changed = self.dice.pick((text[i + 1] + text[i], text[i + 1], text[i] * 2 + text[i + 1]))
        return text[:i] + changed + text[i + 2 :]

    def near_copy(self, request: Request) -> Request:
        """Write the same request again with a small change."""
        text, pick = request.text, self.dice.pick
        variants = (
            f"{text.lower()} !!",
            f"{text} {pick(('Thanks', 'Please answer.', '??', 'Hello?'))}",
            f"{pick(('Again:', 'Hi,', 'Reminder:', 'Second try:'))} {text}",
            self._typo(self._typo(text)),
        )
        return replace(request, text=pick(variants))


def make_requests(writer: Writer) -> tuple[list[Request], list[Request]]:
    """Return the training requests, with some copies among them, and the test requests."""
    dice = writer.dice
    made: dict[str, Request] = {}
    while len(made) < N_TEST + N_TRAIN - N_EXACT_COPIES - N_NEAR_COPIES:
        request = writer.request()
        made.setdefault(request.text, request)
    test, train = list(made.values())[:N_TEST], list(made.values())[N_TEST:]
    exact = dice.shuffled(request for request in train if request.ambiguous)[:N_EXACT_COPIES]
    near = dice.shuffled(request for request in train if request not in exact)[:N_NEAR_COPIES]
    copies = [*exact, *(writer.near_copy(request) for request in near)]
    return dice.shuffled([*train, *copies]), test


def unseen(test: Sequence[Request], train: Sequence[Request], writer: Writer) -> list[Request]:
    """Return the test requests, new ones in place of those that are among the training requests.

    A request that differs by case, blanks or signs alone is the same one.
    """
    seen = {letters(request.text) for request in train}
    made = []
    for request in test:
        while letters(request.text) in seen:
            request = writer.request()
        seen.add(letters(request.text))
        made.append(request)
    return made


def letters(text: str) -> str:
    """Return a text without case, blanks and signs."""
    return re.sub(r"[\W_]", "", text.lower())


def votes_on(request: Request, dice: Dice) -> dict[str, str]:
    """Return one vote or more, by annotator."""
    votes: dict[str, str] = {}
    while not votes:
        votes = {a.name: a.vote(request, dice) for a in ANNOTATORS if dice.chance(VOTE_RATE)}
    return votes


def to_csv(header: Sequence[str], rows: Iterable[Sequence[object]]) -> bytes:
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\n")
    writer.writerows([header, *rows])
    return out.getvalue().encode()


def build() -> dict[str, bytes]:
    """Return the content of the three files by name."""
    dice = Dice(SEED)
    phrases = json.loads((HERE / "phrases.json").read_text(encoding="utf-8"))
    writer = Writer(phrases, dice)
    train, test = make_requests(writer)
    train_rows: list[tuple[object, ...]] = []
    vote_rows: list[tuple[object, ...]] = []
    for number, request in enumerate(train, start=1):
        votes = votes_on(request, dice)
        label = dice.pick(list(votes.values()))
        train_rows.append((number, request.text, label, request.label))
        vote_rows.extend((number, name, vote) for name, vote in votes.items())
    test_rows = [
        (10_000 + n, request.text, request.label)
        for n, request in enumerate(unseen(test, train, writer), 1)
    ]
    return {
        "support_requests.csv": to_csv(("id", "text", "label", "true_label"), train_rows),
        "support_requests_test.csv": to_csv(("id", "text", "label"), test_rows),
        "support_requests_votes.csv": to_csv(("id", "annotator", "label"), vote_rows),
    }


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Write the synthetic sample data set.")
    parser.add_argument("--check", action="store_true", help="compare only, exit 1 on a difference")
    check = parser.parse_args(argv).check
    differing = []
    for name, content in build().items():
        path = HERE / name
        if not check:
            path.write_bytes(content)
        elif not path.is_file() or path.read_bytes() != content:
            differing.append(name)
    if differing:
        print("differs from what make_sample.py makes:", ", ".join(differing), file=sys.stderr)
    return 1 if differing else 0


if __name__ == "__main__":
    sys.exit(main())
