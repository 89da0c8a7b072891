"""Which column of a table is its text, its label, its key, where the command line does not say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlfuncs.errors import BadInput

# The first of these that is there.
TEXT = ("text", "prompt", "x")
LABEL = ("label", "completion")
KEY = ("id", "key")


def find(
    types: Mapping[str, object], table: str, role: str, given: str | None, usual: Sequence[str]
) -> str:
    """The column given, or the first usual one that is there. Raises BadInput if none is."""
    known = {name.casefold(): name for name in types}  # which DuckDB's names are the same in
    for name in [given] if given else usual:
        if name.casefold() in known:
            return known[name.casefold()]
    missing = f"--{role} {given}: {table} has no such column" if given else f"--{role} is needed"
    numbered = (
        f" Where no column names a row: CREATE TABLE numbered AS SELECT row_number() OVER () AS "
        f"id, * FROM {table}."
    )
    raise BadInput(f"{missing}. {table} has {', '.join(types)}.{numbered if role == 'key' else ''}")
