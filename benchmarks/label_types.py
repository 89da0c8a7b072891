"""Labels of every type against those of every other: right, refused or wrong.

python -m benchmarks.label_types [COLUMNS]

Each cell is a pair of columns of two types that hold the same two labels (or not). Refused is an
error, or NULL for a probability that a map has not; wrong is anything else that is not right.
"""

from __future__ import annotations

import sys
from collections import Counter

import sqlfuncs
from benchmarks.pages import circumstances, write
from tests.functions.label_types import COLUMNS
from tests.functions.test_label_types import CASES


def main() -> int:
    """Print a row for each use of labels; the number of wrong cells."""
    columns = COLUMNS[: int(sys.argv[1])] if len(sys.argv) > 1 else COLUMNS
    lines = [
        f"| {len(columns)} x {len(columns)} types | right | refused | wrong |",
        "|---|---|---|---|",
    ]
    wrong = 0
    with sqlfuncs.connect() as con:
        for name, (compute, right, allowed) in CASES.items():
            counts: Counter[str] = Counter()
            for a in columns:
                for b in columns:
                    got = compute(con, a, b)
                    kind = "right" if got == right else "refused" if got in allowed else "wrong"
                    counts[kind] += 1
            wrong += counts["wrong"]
            lines.append(
                f"| {name} | {counts['right']} | {counts['refused']} | {counts['wrong']} |"
            )
    write("label_types", "\n".join([*lines, "", circumstances()]))
    return wrong


if __name__ == "__main__":
    sys.exit(main() > 0)
