"""Functions of a row on DataFrames: `sqlfuncs.spark.llm_classify(df, 'text', [...], model=...)`.

A column more comes back, lazily. Models on this machine are applied by the workers, to which they
travel (`carried`); hosted ones are asked by the driver (`hosted`).
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from sqlfuncs import plugins, wording
from sqlfuncs.engines.spark import calls, frames, hosted, scalars
from sqlfuncs.engines.spark.answers import AnswerTable
from sqlfuncs.engines.spark.artifacts import artifact
from sqlfuncs.engines.spark.carried import Carried
from sqlfuncs.engines.spark.dialect import DIALECT
from sqlfuncs.errors import BadInput, BadOption, ColumnClash
from sqlfuncs.functions.spec import ScalarFunction, TableFunction, checked_options
from sqlfuncs.learning.tasks import trained
from sqlfuncs.llm.answer_table import Asking, is_hosted
from sqlfuncs.llm.rows import texts_of
from sqlfuncs.store import stores
from sqlfuncs.wording import Given, Option

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

_ASKING = ("llm_classify", "llm_class_probs")
_ESTIMATE = "llm_estimate"
_INTO = {"embed": "embedding", **dict(zip(_ASKING, _ASKING, strict=True))}
_ANSWERS = "answers"


def names() -> frozenset[str]:
    """Of all these functions."""
    return frozenset({*_INTO, _ESTIMATE})


@dataclass(frozen=True)
class _Given:
    """A call: the column as the table has it, options that were checked, and ours."""

    name: str
    df: DataFrame
    text: str
    type: pa.DataType
    options: dict[str, Any]
    into: str
    answers: str | None


@cache
def function(name: str) -> Callable[..., DataFrame]:
    """One of them."""
    parameters = _parameters(name)
    of_call = inspect.Signature(parameters)

    def called(*given: object, **named: object) -> DataFrame:
        with wording.speaking(DIALECT):
            try:
                bound = of_call.bind(*given, **named)
            except TypeError as error:
                listed = ", ".join(map(str, parameters))
                raise BadInput(f"{name}: {error}. It is called as {name}({listed}).") from None
            return _called(_read(name, bound.arguments))

    called.__name__ = called.__qualname__ = name
    called.__doc__ = _described(name).help
    called.__signature__ = of_call  # type: ignore[attr-defined]
    return called


def _described(name: str) -> ScalarFunction | TableFunction:
    return next(
        each
        for each in plugins.functions()
        if each.name == name and isinstance(each, ScalarFunction | TableFunction)
    )


def _parameters(name: str) -> list[inspect.Parameter]:
    own = dict(_described(name).options)
    by_place, by_name = inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY
    parameters = [inspect.Parameter(each, by_place) for each in ("df", "text")]
    if "labels" in own:
        parameters.append(inspect.Parameter("labels", by_place, default=own.pop("labels")))
    if name in _INTO:
        own["into"] = _INTO[name]
    if name != "embed":
        own[_ANSWERS] = None
    return parameters + [inspect.Parameter(k, by_name, default=v) for k, v in own.items()]


def _read(name: str, given: Mapping[str, Any]) -> _Given:
    options = dict(given)
    df = frames.as_frame(options.pop("df"))
    text = calls.column(options.pop("text"), df.columns)
    into, answers = options.pop("into", _INTO.get(name)), options.pop(_ANSWERS, None)
    for option, value in (("into", into), (_ANSWERS, answers)):
        if value is not None and not (isinstance(value, str) and value):
            raise BadOption(f"{option}={value!r}: it takes a name, which is text.")
    if name in _INTO and into is None:
        into = _INTO[name]
    if name in _INTO and into.casefold() in {each.casefold() for each in df.columns}:
        raise ColumnClash(
            f"the table already has the column {DIALECT.identifier(into)}. Name another one for "
            f"what {name} says: into='...'."
        )
    (field,) = frames.schema_of(df, [text])
    own = _described(name)
    for option, variable in own.session.items():
        if options.get(option) is None:
            options[option] = _variable(df.sparkSession, variable)
    checked = checked_options(own.compute, options)
    return _Given(name, df, text, field.type, checked, into or "", answers)


def _variable(session: Any, name: str) -> object:
    """The value of a variable of the session, None where there is none."""
    from pyspark.errors import AnalysisException

    try:
        ((value,),) = session.sql(f"SELECT {name}").collect()
    except AnalysisException:
        return None
    return value


def _called(call: _Given) -> DataFrame:
    model = call.options.get("model")
    if call.name == _ESTIMATE:
        return _estimated(call)
    if call.name in _ASKING and (model is None or is_hosted(model)):
        return _asked(call)
    return _applied(call)


def _applied(call: _Given) -> DataFrame:
    """What workers compute, each in one thread."""
    own = scalars.scalar_function(call.name)
    query = [None] if own.per_query else []
    own.compute(pa.nulls(1, call.type), *query, **call.options)  # raises what is wrong with it
    model = call.options["model"]
    if call.answers is not None:
        raise BadOption(
            f"{Option('model', Given(model))} costs nothing, and what it says is kept in no table: "
            f"leave {_ANSWERS} out."
        )
    place = call.df.columns.index(call.text)
    brought = None
    if call.name in _ASKING and ":" not in model:
        trained.refuse_type(call.type, model)
        record, files = stores.models().load(model)
        brought = record, artifact(call.df.sparkSession, files)
    return Carried(call.name, call.options, place, call.into, call.type, brought).beside(call.df)


def _asked(call: _Given) -> DataFrame:
    """What a hosted model says, once it has been asked about all that is not known yet."""
    asking = Asking.read(call.name, call.options)
    texts_of(pa.nulls(0, call.type), asking.question.model)
    if call.answers is None:
        raise BadOption(
            f"{call.name} needs {_ANSWERS}='catalog.schema.answers', a table in which what "
            f"'{asking.question.model}' says is kept, so that nothing is paid for twice. It is "
            "made if it is not there."
        )
    table = AnswerTable(call.df.sparkSession, call.answers)
    table.make()
    hosted.ask(call.df, call.text, asking, table)
    return hosted.beside(call.df, call.text, asking, table, call.name, call.into)


def _estimated(call: _Given) -> DataFrame:
    from sqlfuncs.engines.spark import estimated

    return estimated.estimate(call.df, call.text, call.type, call.options, call.answers)
