"""Options about classes, or some ways of judging, that labels of other kinds are refused."""

from __future__ import annotations

from collections.abc import Sequence

from sqlfuncs.errors import BadOption
from sqlfuncs.learning.detection import confident
from sqlfuncs.learning.tasks.base import Options
from sqlfuncs.wording import Option


def refuse_of_classes(options: Options, task: str, *names: str) -> None:
    """Raise BadOption for `ordered`, and other options by `names`, that labels of no class lack."""
    for name in ("ordered", *names):
        if getattr(options, name) is not None:
            asked = Option(name, getattr(options, name))
            raise BadOption(
                f"{asked} is about classes; these labels are none ({task}). Leave it out."
            )


def check_ways(options: Options, task: str, cuts: Sequence[str], methods: Sequence[str]) -> None:
    """Raise BadOption for a `cut` or a `method` that labels of a `task` do not have.

    It says so of those that others have.
    """
    for name, allowed in (("cut", cuts), ("method", methods)):
        given = getattr(options, name)
        if given in allowed:
            continue
        if given not in (*confident.CUTS, *confident.METHODS):
            raise BadOption.among(name, given, allowed)
        raise BadOption(
            f"{Option(name, given)} is for classes; of these labels ({task}) it may be "
            f"{' or '.join(repr(each) for each in allowed)}."
        )
