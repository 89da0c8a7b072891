"""What a SQL function is, apart from any engine: its name, arguments, columns and computing.

An engine (`sqlfuncs.engines.duckdb`) turns these into functions of its own. Options are the
keyword-only parameters of `compute`, so a signature is written down once.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Literal

import pyarrow as pa

from sqlfuncs.errors import BadOption
from sqlfuncs.wording import Option

OPTION_TYPES: Mapping[str, type] = {"str": str, "int": int, "float": float, "bool": bool}
_IN_WORDS = {str: "text", int: "a whole number", float: "a number", bool: "true or false"}


@dataclass(frozen=True)
class Input:
    """A column that a function of a table reads.

    `comes_as` is "given", as it is; "text", as the engine's own text for its values, whatever
    their type; "label", the same for values that may be labels: lists and the like are refused; or
    "labels", where lists of text are labels too, and come as JSON.
    One that `is_optional` is named in the call or left out: then it is NULL, without a type. What
    labels are may depend on the type of the input that they are labels `of`, too.
    """

    name: str
    comes_as: Literal["given", "text", "label", "labels"] = "given"
    is_optional: bool = False
    of: str | None = None


LABEL = Input("label", "label")
LABEL_OR_TAGS = Input("label", "labels")
LABEL_OR_WORDS = Input("label", "labels", of="x")  # tags, but of words where x is a list of these
VOTES = Input("votes", is_optional=True)  # what others say of the rows
ANNOTATOR = Input("annotator", is_optional=True)  # who gave the labels
AUTO = "auto"  # the option task: the type of the labels tells what they are
REVIEWS = ("key", "log")  # the column and the table with which decisions are given


@dataclass(frozen=True)
class Only:
    """Of which labels a column tells: those that are of a task, by the `kinds` of their types.

    Kinds are those of `learning.labels.labels`; with the option task, the one that is named.
    """

    task: str
    kinds: tuple[str, ...]

    def is_of(self, kind: str, task: str) -> bool:
        """Whether labels of a kind have the column, where the option `task` says that.

        >>> Only("regression", ("float",)).is_of("float", "auto")
        True
        """
        return self.task == task or (task == AUTO and kind in self.kinds)


NUMBERS = Only("regression", ("float", "decimal"))
TAGS = Only("multilabel", ("tags",))
_ONE_VALUE = "text json boolean integer decimal float number time instant plain null"
CLASSES = Only("classification", tuple(_ONE_VALUE.split()))
WORDS = Only("token_classification", ("words",))


@dataclass(frozen=True)
class Column:
    """A column of a result.

    `type` is an Arrow type, or the name of an input ("label") whose own type the engine gives
    back; the computing then returns text for it, as the input came (`Input.comes_as`).
    `given` names an input whose own value is the column's (both are maps of probabilities) where
    the computing returns an empty one. Those that are there `only` for some labels stand together,
    beside one that is always there and not of the labels' type.
    """

    name: str
    type: pa.DataType | str
    help: str
    given: str | None = None
    only: Only | None = None

    @property
    def computed_type(self) -> pa.DataType:
        """The Arrow type that `compute` returns for this column."""
        return pa.string() if isinstance(self.type, str) else self.type


@dataclass(frozen=True, eq=False, kw_only=True)
class _Computed:
    """A function whose results are computed here, and not by an engine.

    `session` names the session variable that an option falls back to.
    """

    name: str
    compute: Callable[..., Any]
    session: Mapping[str, str] = field(default_factory=dict)

    @property
    def help(self) -> str:
        """The docstring of the computing: the function's documentation everywhere."""
        return inspect.getdoc(self.compute) or ""

    @property
    def options(self) -> dict[str, Any]:
        """Option names and their defaults."""
        return options_of(self.compute)


@dataclass(frozen=True, eq=False, kw_only=True)
class TableFunction(_Computed):
    """A function of a whole table: `FROM label_issues(tbl, x, label)`.

    `compute(rows, ..., *, options)` gets `rows`, a StructArray with a field per input in the
    table's order (keys of maps are dictionary-encoded), then `arguments` (plain values), then
    options; it returns a StructArray. With `keeps_rows` it has one entry a row, and the engine
    puts the table's own columns before it; otherwise it is the result.

    `inputs` are columns, a name alone for one that comes as it is, or `label`, which comes as one.
    `second` names a table that may be named in the call as well (`second := tbl`); what it has
    of the first one's columns is read, and the field `second` of `rows` is true for its rows.

    With `reviews` a decision log may be named in the call (`key := column, log := table`). If it
    is, `rows` has three fields more: `decision` and `decided_label`, text that says what a person
    decided about a row, NULL where nobody has; and `random_rank`, its place in a random order of
    all rows that is the same every time.

    `told_by` names the input whose type tells which columns are there that `only` some labels have.
    """

    inputs: tuple[Input | str, ...]
    returns: tuple[Column, ...]
    arguments: tuple[str, ...] = ()
    keeps_rows: bool = True
    second: str | None = None
    reviews: bool = False
    told_by: str = LABEL.name

    @property
    def columns(self) -> tuple[Input, ...]:
        """The inputs."""
        named = ((LABEL if each == LABEL.name else each) for each in self.inputs)
        return tuple(Input(each) if isinstance(each, str) else each for each in named)

    def result(self, columns: Mapping[str, pa.Array]) -> pa.StructArray:
        """Columns by their names, in the order of `returns`; those that are missing are NULL."""
        unknown = sorted({*columns} - {each.name for each in self.returns})
        assert not unknown, f"{self.name} returns no {', '.join(unknown)}"
        rows = len(next(iter(columns.values())))
        return pa.StructArray.from_arrays(
            [
                columns[each.name] if each.name in columns else pa.nulls(rows, each.computed_type)
                for each in self.returns
            ],
            names=[each.name for each in self.returns],
        )


@dataclass(frozen=True, eq=False, kw_only=True)
class CountFunction(TableFunction):
    """A function of how often labels occur together: `FROM evaluate(tbl, actual, predicted)`.

    `compute(counts, *, options)` gets the different combinations of its inputs, columns of labels,
    as `learning.labels.compared` reads them: any engine groups any number of rows. It returns rows
    of its own. Inputs are columns, but for those that `may_be_constant`. One that `takes_tags` gets
    lists of text as JSON (`learning.labels.tags`); else they are refused.
    """

    inputs: tuple[str, ...]
    may_be_constant: tuple[str, ...] = ()
    takes_tags: bool = False
    keeps_rows: bool = False


@dataclass(frozen=True, eq=False, kw_only=True)
class ListFunction(_Computed):
    """A function without a table: `FROM models()`, `FROM drop_model('name')`."""

    returns: tuple[Column, ...]
    arguments: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False, kw_only=True)
class ScalarFunction(_Computed):
    """A function of each row: `SELECT embed(text)`.

    `compute(*inputs, *, options)` gets Arrow arrays of one length, a batch of rows, and
    returns an array of that length. Options must be the same for every row. With `per_query` it
    gets after the inputs a value that is the same within a query, and in no other. `lists` names an
    option, true or false: where it is true the array is of lists of `returns`. So it is of a
    function that goes `word_by_word` where its first input is lists of text.
    """

    inputs: tuple[str, ...]
    returns: pa.DataType
    per_query: bool = False
    lists: str | None = None
    word_by_word: bool = False

    def returned(self, options: Mapping[str, object], of: pa.DataType) -> pa.DataType:
        """The type of what a call with these options returns, whose first input is of a type."""
        many = self.lists is not None and options.get(self.lists)
        return pa.list_(self.returns) if many or self.is_by_word(of) else self.returns

    def is_by_word(self, of: pa.DataType) -> bool:
        """Whether it says something of each word where its first input is of a type."""
        return self.word_by_word and of_words(of)


def of_words(of: pa.DataType) -> bool:
    """Whether a column of a type holds lists of text."""
    if not (pa.types.is_list(of) or pa.types.is_fixed_size_list(of)):
        return False
    each = of.value_type
    each = each.value_type if pa.types.is_dictionary(each) else each
    return bool(pa.types.is_string(each) or pa.types.is_large_string(each))


class NativeFunction:
    """A function in the SQL of one engine, which has a class of its own for these; others skip it.

    `help` says what the function does.
    """

    name: str
    help: str


SqlFunction = TableFunction | ListFunction | ScalarFunction | NativeFunction


def options_of(compute: Callable[..., object]) -> dict[str, Any]:
    """The keyword-only parameters of a function, with their defaults.

    >>> def f(rows, *, cut: str = "auto", folds: int = 5): ...
    >>> options_of(f)
    {'cut': 'auto', 'folds': 5}
    """
    parameters = inspect.signature(compute).parameters.values()
    return {p.name: p.default for p in parameters if p.kind is p.KEYWORD_ONLY}


def checked_options(
    compute: Callable[..., object], given: Mapping[str, object]
) -> dict[str, object]:
    """The options a call gave, NULL meaning the default, each of the type that is declared.

    >>> def f(rows, *, cut: str = "auto", folds: int = 5): ...
    >>> checked_options(f, {"cut": None, "folds": 3})
    {'cut': 'auto', 'folds': 3}

    Raises BadOption for a value of another type.
    """
    parameters = inspect.signature(compute).parameters
    checked: dict[str, object] = {}
    for name, default in options_of(compute).items():
        value = given.get(name)
        if value is None:
            checked[name] = default
            continue
        declared = str(parameters[name].annotation).split("|")[0].strip()
        wanted = OPTION_TYPES.get(declared)
        if wanted is float and isinstance(value, int | Decimal) and not isinstance(value, bool):
            value = float(value)  # SQL's 0.5 is a decimal number
        if wanted is not None and type(value) is not wanted:
            raise BadOption(
                f"{Option(name, value)} has to be {_IN_WORDS[wanted]}"
                + ("." if default is None else f"; for example {Option(name, default)}.")
            )
        checked[name] = value
    return checked
