"""The SQL functions, one module each: Arrow in, Arrow out, no engine in sight."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from pkgutil import iter_modules

from sqlfuncs.functions.spec import SqlFunction


def register(add: Callable[[SqlFunction], None]) -> None:
    """The entry point of the built-in functions: every module here has a `FUNCTION`."""
    for module in sorted(info.name for info in iter_modules(__path__)):
        if module != "spec":
            add(import_module(f"{__name__}.{module}").FUNCTION)
