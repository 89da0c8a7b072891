"""What must never happen, counted: wrong in silence, over budget, lost; each by its own bench.

    python -m benchmarks.faults

Prints, one after the other: pairs of types of labels; what is spent under a budget; the rate
under `429, Retry-After: 0`; replies changed at random; damaged stores; rows of equal content.
It takes about half an hour on two cores; each part can be run alone.
"""

from __future__ import annotations

import subprocess
import sys

PARTS = ("label_types", "budgets", "limits", "replies", "damaged_stores", "copies")


def main() -> int:
    """Run the parts; how many of them ended badly."""
    failed = []
    for part in PARTS:
        print(f"\n## {part}\n", flush=True)
        done = subprocess.run([sys.executable, "-m", f"benchmarks.{part}"], check=False)
        if done.returncode:
            failed.append(part)
    print(f"\nparts that ended badly: {', '.join(failed) or 'none'}")
    return len(failed)


if __name__ == "__main__":
    sys.exit(main())
