"""What can be called on a table: names, arguments and options. Imports the descriptions only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from sqlfuncs import plugins
from sqlfuncs.errors import BadInput
from sqlfuncs.functions.spec import REVIEWS, NativeFunction, Only, TableFunction


@dataclass(frozen=True)
class Signature:
    """A function of a table.

    Called as `name(arguments, table, tables, columns, options)`: `arguments` are plain values,
    `tables` further tables, `columns` those that are named in every call. `optional_columns` and
    `optional_tables` may be named among the options. `adds` are the columns that come after the
    table's own; none where the rows are the function's. Of these there are `only` for some labels
    those that it names. `reads` are columns of the table that are read besides those that are
    named, None for all.
    """

    name: str
    help: str
    columns: tuple[str, ...]
    options: Mapping[str, Any]
    arguments: tuple[str, ...] = ()
    tables: tuple[str, ...] = ()
    optional_columns: tuple[str, ...] = ()
    optional_tables: tuple[str, ...] = ()
    adds: tuple[str, ...] = ()
    only: Mapping[str, Only] = field(default_factory=dict)
    reads: tuple[str, ...] | None = ()


# What DuckDB has in SQL of its own: (further tables, columns, optional columns, optional tables,
# options).
_NATIVE: Mapping[str, tuple[tuple[str, ...], ...]] = {
    "apply_corrections": (("log",), ("key", "label"), (), (), ("as_of",)),
    "auto_corrections": (
        (), ("key", "label"), (), ("log",),
        ("action", "min_confidence", "risk", "precision", "task"),
    ),
    "corrections_diff": (("log",), ("key", "label"), (), (), ("as_of",)),
    "explain_issues": ((), ("x", "label", "key"), ("votes",), (), ("budget", "model")),
    "label_set_threshold": (("log",), ("key", "label"), (), (), ("coverage",)),
    "model_strength": ((), ("label",), (), (), ("task",)),
    "review_curve": (("log",), ("key", "label"), (), ("sample",), ("points",)),
    "review_queue": (
        (), ("x", "label", "key"), ("votes", "annotator"), ("log",),
        ("budget", "purpose", "model", "folds", "seed", "task", "ordered"),
    ),
}  # fmt: skip
# What these read besides, mostly of a label_issues result.
_READS: Mapping[str, tuple[str, ...] | None] = {
    "auto_corrections": (
        "class_probs",
        "is_label_issue",
        "not_judged",
        "suggested_confidence",
        "suggested_label",
    ),
    "explain_issues": None,
    "label_set_threshold": ("class_probs",),
    "model_strength": ("class_probs", "not_judged"),
    "review_curve": ("label_quality",),
    "review_queue": None,
}


def signature(name: str) -> Signature:
    """Of a function by its name. Raises BadInput for one that there is not."""
    try:
        return signatures()[name]
    except KeyError:
        known = ", ".join(signatures())
        raise BadInput(f"there is no function {name} of a table. There are: {known}.") from None


@cache
def signatures() -> Mapping[str, Signature]:
    """Of all functions of a table, by name."""
    found = {}
    for function in plugins.functions():
        if function.name.startswith("_"):
            continue
        if isinstance(function, TableFunction):
            found[function.name] = _of(function)
        elif isinstance(function, NativeFunction) and function.name in _NATIVE:
            tables, columns, optional, logs, options = _NATIVE[function.name]
            found[function.name] = Signature(
                function.name,
                function.help,
                columns,
                dict.fromkeys(options),
                tables=tables,
                optional_columns=optional,
                optional_tables=logs,
                reads=_READS.get(function.name, ()),
            )
    return found


def internal(name: str) -> Signature:
    """Of a function of a table that is not offered: one that query files call."""
    (found,) = (
        each
        for each in plugins.functions()
        if isinstance(each, TableFunction) and each.name == name
    )
    return _of(found)


def _of(function: TableFunction) -> Signature:
    key, log = REVIEWS
    optional = [each.name for each in function.columns if each.is_optional]
    return Signature(
        function.name,
        function.help,
        tuple(each.name for each in function.columns if not each.is_optional),
        function.options,
        arguments=function.arguments,
        optional_columns=(*optional, *([key] if function.reviews else [])),
        optional_tables=(
            *([function.second] if function.second else []),
            *([log] if function.reviews else []),
        ),
        adds=tuple(each.name for each in function.returns) if function.keeps_rows else (),
        only={each.name: each.only for each in function.returns if each.only is not None},
    )
