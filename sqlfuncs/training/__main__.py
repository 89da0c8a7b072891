"""`python -m sqlfuncs.training JOB`: the process that `wait := false` trains in."""

from __future__ import annotations

import sys

from sqlfuncs.errors import SqlfuncsError
from sqlfuncs.store.home import close_umask
from sqlfuncs.training import run


def main() -> int:
    """Train; what went wrong stands in the job's row, and its traceback in the job's log."""
    close_umask()
    try:
        run.run_saved(sys.argv[1])
    except SqlfuncsError as error:
        print(f"sqlfuncs: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
