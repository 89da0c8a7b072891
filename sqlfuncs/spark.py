"""sqlfuncs on Spark, for DataFrames of any size.

>>> import sqlfuncs.spark
>>> "label_issues" in dir(sqlfuncs.spark)
True

Each function of a table is here under its name: the table first, a DataFrame or its name, then its
columns by their names, then options. What comes back is a DataFrame, read when it is asked for:
write it to a table, or it is computed again each time. `sql(session, text)` runs a statement in
which they are called as in DuckDB: `FROM label_issues(my_table, text, label)`; `judge("name")` is
a function of columns, for pipelines: `df.withColumn("found", judge("text", "label"))`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


_OTHERS = ("judge", "sql")


def __getattr__(name: str) -> Callable[..., Any]:
    from sqlfuncs.engines.spark import functions, scalars, statements

    others: dict[str, Callable[..., Any]] = {"judge": scalars.judge, "sql": statements.sql}
    if name in others:
        return others[name]
    if name in functions.names():
        return functions.function(name)
    raise AttributeError(f"sqlfuncs.spark has no {name}. It has: {', '.join(__dir__())}.")


def __dir__() -> list[str]:
    from sqlfuncs.engines.spark import functions

    return sorted({*functions.names(), *_OTHERS})
