"""Views that a statement of Spark SQL makes, as they are written. Pure text."""

from __future__ import annotations

from dataclasses import dataclass

from sqlfuncs.engines.spark.lexis import unquoted
from sqlfuncs.engines.spark.written import words_of
from sqlfuncs.errors import BadInput


@dataclass(frozen=True)
class View:
    """A statement that makes a view, of a `query`."""

    name: str
    query: str
    is_temporary: bool
    replaces: bool


def view_of(sql: str) -> View | None:
    """The view that a statement makes; None for any other statement.

    >>> view_of("CREATE OR REPLACE TEMP VIEW v AS FROM t")
    View(name='v', query='FROM t', is_temporary=True, replaces=True)

    Raises BadInput for a view with columns or properties of its own.
    """
    words = words_of(sql)
    begins = [word.text.upper() for word in words[:5]]
    if "VIEW" not in begins or begins[0] != "CREATE":
        return None
    at = begins.index("VIEW") + 1
    if len(words) < at + 3 or words[at + 1].text.upper() != "AS":
        raise BadInput("a view of what our functions give has a name and a query, nothing else.")
    kinds = {"TEMP", "TEMPORARY"} & {*begins[:at]}
    return View(unquoted(words[at]), sql[words[at + 2].at :], bool(kinds), "REPLACE" in begins[:at])
