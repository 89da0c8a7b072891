"""Labels of other kinds than classes: found beside cleanlab's modules, trained beside scikit-learn.

SQLFUNCS_BENCH is a folder of fetched repositories (owner+name/repo, bare); what is not there is
left out, and said.

    SQLFUNCS_BENCH=... python -m benchmarks.tasks          # all of them
    SQLFUNCS_BENCH=... python -m benchmarks.tasks tags
"""

from __future__ import annotations

import sys

from benchmarks import (
    task_corrections,
    task_numbers,
    task_ordered,
    task_tags,
    task_training,
    task_word_training,
    task_words,
)

_KINDS = {
    "corrections": task_corrections.main,
    "numbers": task_numbers.main,
    "ordered": task_ordered.main,
    "tags": task_tags.main,
    "training": task_training.main,
    "word_training": task_word_training.main,
    "words": task_words.main,
}


def main(names: list[str]) -> None:
    """Measure the kinds of labels that are named, or all."""
    unknown = sorted({*names} - _KINDS.keys())
    if unknown:
        raise SystemExit(f"{unknown[0]} is no kind of label; there are {', '.join(_KINDS)}.")
    for name in names or _KINDS:
        _KINDS[name]()


if __name__ == "__main__":
    main(sys.argv[1:])
