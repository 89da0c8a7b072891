"""The one way a SQL function gets in: an entry point of the group `sqlfuncs`; and an engine.

A package offers its functions by naming, in its own `pyproject.toml`, a callable that takes
`add` and calls it with each `sqlfuncs.functions.spec.SqlFunction`:

    [project.entry-points.sqlfuncs]
    ours = "our_package:register"

The built-in functions come in the same way. An entry point of the group `sqlfuncs.engines` names
a `sqlfuncs.engines.base.Engine`; DuckDB and Spark are there without one.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import TYPE_CHECKING

from sqlfuncs.errors import CannotRegister
from sqlfuncs.functions.spec import SqlFunction

if TYPE_CHECKING:
    from sqlfuncs.engines.base import Engine

GROUP = "sqlfuncs"
ENGINES = "sqlfuncs.engines"
_DUCKDB = EntryPoint("duckdb", "sqlfuncs.engines.duckdb.engine:ENGINE", ENGINES)
_SPARK = EntryPoint("spark", "sqlfuncs.engines.spark.engine:ENGINE", ENGINES)


@cache
def functions() -> tuple[SqlFunction, ...]:
    """Every SQL function of every installed package, in order of name.

    Raises CannotRegister if two packages give a function of one name, or if one fails.
    """
    found: dict[str, tuple[str, SqlFunction]] = {}
    for point in sorted(entry_points(group=GROUP), key=lambda p: (p.name, p.value)):
        for function in _offered(point.name, point.load):
            taken_by = found.get(function.name)
            if taken_by is not None and taken_by[0] != point.name:
                raise CannotRegister(
                    f"two packages give a SQL function {function.name}: "
                    f"{taken_by[0]} and {point.name}. Uninstall one of them."
                )
            found[function.name] = (point.name, function)
    return tuple(function for _, function in sorted(found.values(), key=lambda pair: pair[1].name))


def _offered(
    name: str, load: Callable[[], Callable[[Callable[[SqlFunction], None]], None]]
) -> list[SqlFunction]:
    offered: list[SqlFunction] = []
    try:
        load()(offered.append)
    except Exception as error:
        raise CannotRegister(f"the plug-in {name} of sqlfuncs failed: {error!r}") from error
    return offered


@cache
def engines() -> tuple[Engine, ...]:
    """Every engine there is, ours first. Raises CannotRegister for one that cannot be loaded."""
    others = sorted(entry_points(group=ENGINES), key=lambda point: (point.name, point.value))
    return tuple(map(_loaded, (_DUCKDB, _SPARK, *others)))


def engine_of(con: object) -> Engine:
    """The engine that a connection is of. Raises CannotRegister for one of none."""
    for engine in engines():
        if engine.owns(con):
            return engine
    kind = type(con)
    raise CannotRegister(
        f"{kind.__module__}.{kind.__qualname__} is no connection in which functions can be "
        f"registered. There are engines: {', '.join(engine.name for engine in engines())}."
    )


def _loaded(point: EntryPoint) -> Engine:
    try:
        engine: Engine = point.load()
    except Exception as error:
        raise CannotRegister(f"the engine {point.name} of sqlfuncs failed: {error!r}") from error
    return engine
