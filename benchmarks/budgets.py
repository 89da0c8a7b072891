"""What is spent under a budget, under all circumstances; and how fast it is with room in it.

    python -m benchmarks.budgets

The server is the tests' own, on loopback, in a process of its own, and counts what it charged.
"""

from __future__ import annotations

import os
import tempfile

from tests.llm.budgets import SETTINGS, spend
from tests.llm.conftest import serving


def main() -> None:
    """Print the table."""
    with serving() as server, tempfile.TemporaryDirectory() as home:
        os.environ |= server.environment
        passed = 0
        print(
            f"{'setting':38} {'budget':>9} {'spent':>9} {'of it':>6} {'requests':>9} {'at once':>8}"
        )
        for number, setting in enumerate(SETTINGS):
            os.environ["SQLFUNCS_HOME"] = f"{home}/{number}"
            found = spend(server, setting)
            passed += found.is_passed
            print(
                f"{setting.name:38} {found.budget:9,g} {found.spent:9,.6g} "
                f"{found.spent / found.budget:6.2f} {found.requests:9} {found.at_once:8}"
                + (" PASSED" if found.is_passed else ""),
                flush=True,
            )
        print(f"{passed} of {len(SETTINGS)} budgets passed by more than one request")


if __name__ == "__main__":
    main()
