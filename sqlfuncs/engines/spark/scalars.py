"""Functions of a row, computed in Python, as Arrow UDFs: `SELECT embed(text, model => 'fast')`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pyarrow as pa

from sqlfuncs import plugins, wording
from sqlfuncs.engines.spark.dialect import DIALECT
from sqlfuncs.engines.spark.labels import kind_of, text_of
from sqlfuncs.errors import BadInput, BadOption
from sqlfuncs.functions.spec import ScalarFunction, checked_options
from sqlfuncs.llm.answer_table import is_hosted
from sqlfuncs.wording import Option

JUDGE = "judge_labels"
_JUDGED = "_judged_labels"
_PAID = {"llm_classify", "llm_class_probs", "llm_classify_result"}  # ask models that may cost


def register(session: Any) -> None:
    """All of them, by their names, until the session ends."""
    for function in plugins.functions():
        if isinstance(function, ScalarFunction) and not function.name.startswith("_"):
            session.udf.register(function.name, _udf(Scalar(function.name), function.returns))
    session.udf.register(JUDGE, judge())


def judge(name: str | None = None, files: Mapping[str, bytes] | None = None) -> Any:
    """`judge_labels(x, label, judge => 'name')`, a struct of the columns of label_issues.

    With `name` and the `files` of a judge, one that needs no option and no home that workers see.
    """
    return _udf(Judge(name, files), scalar_function(_JUDGED).returns)


def _udf(call: Callable[..., pa.Array], returns: pa.DataType) -> Any:
    from pyspark.sql.functions import arrow_udf
    from pyspark.sql.pandas.types import from_arrow_type

    def computed(*given: pa.Array, **options: pa.Array) -> pa.Array:
        return call(*given, **options)

    computed.__name__ = getattr(call, "name", "sqlfuncs")
    return arrow_udf(computed, from_arrow_type(returns))


class Scalar:
    """A function, found by its name on the worker, of batches of rows."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __call__(self, *given: pa.Array, **named: pa.Array) -> pa.Array:
        """An array of the results. Raises BadOption and what the function raises."""
        with wording.speaking(DIALECT):
            function = scalar_function(self.name)
            inputs, options = _arguments(function, given, named)
            checked = checked_options(function.compute, options)
            if function.name in _PAID:
                _refuse_paid(function.name, checked)
            if function.returned(checked, inputs[0].type) != function.returns:
                _refuse_lists(function, inputs[0].type)
            query = [None] if function.per_query else []
            return function.compute(*inputs, *query, **checked)


class Judge:
    """What a judge says of labels. `files` are those of one that came along, else it is kept."""

    name = JUDGE

    def __init__(self, judge: str | None, files: Mapping[str, bytes] | None) -> None:
        self._judge, self._files = judge, files

    def __call__(
        self, x: pa.Array, label: pa.Array, judge: pa.Array | None = None
    ) -> pa.StructArray:
        """A struct a row."""
        with wording.speaking(DIALECT):
            function = scalar_function(_JUDGED)
            name = self._judge if judge is None else _constant("judge", judge)
            kind = pa.array([kind_of("label", label.type)])
            return function.compute(x, text_of(label), kind, judge=name)


def scalar_function(name: str) -> ScalarFunction:
    """A function of a row by its name. Raises BadInput for one that there is not."""
    for function in plugins.functions():
        if function.name == name and isinstance(function, ScalarFunction):
            return function
    raise BadInput(f"the workers' sqlfuncs has no function {name}: install the driver's version.")


def _arguments(
    function: ScalarFunction, given: tuple[pa.Array, ...], named: Mapping[str, pa.Array]
) -> tuple[list[pa.Array], dict[str, object]]:
    names = (*function.inputs, *function.options)
    if len(given) > len(names):
        raise BadInput(f"{function.name} takes {', '.join(names)}: {len(given)} were given.")
    by_name = {**dict(zip(names, given, strict=False)), **named}
    unknown = sorted(by_name.keys() - set(names))
    if unknown:
        raise BadOption(
            f"{function.name} has no option {unknown[0]}. It has: {', '.join(function.options)}."
        )
    missing = [name for name in function.inputs if name not in by_name]
    if missing:
        raise BadInput(f"{function.name} needs {' and '.join(missing)}.")
    inputs = [by_name.pop(name) for name in function.inputs]
    return inputs, {name: _constant(name, values) for name, values in by_name.items()}


def _constant(name: str, values: pa.Array) -> object:
    """The one value of an option, which comes as a value for each row."""
    if len(values) == 0:
        return None
    if not values.equals(pa.repeat(values[0], len(values))):
        raise BadOption(f"{Option(name, ...)} has to be the same for every row: it is no column.")
    value: object = values[0].as_py()
    return value


def _refuse_lists(function: ScalarFunction, of: pa.DataType) -> None:
    """Raise BadOption for lists: a function of Spark SQL's has one type, whatever its options."""
    if function.is_by_word(of):
        raise BadOption(
            f"{function.name} is of one type in Spark SQL, that of one label for each row: labels "
            f"of words are given by sqlfuncs.spark.{function.name}(df, 'words', ...)."
        )
    raise BadOption(
        f"{Option(function.lists or '', True)}: {function.name} is of one type in Spark SQL, that "
        f"of one label. llm_classify_result(...).labels has lists there, and so has "
        f"sqlfuncs.spark.{function.name}(df, 'text', ..., {function.lists}=True)."
    )


def _refuse_paid(name: str, options: Mapping[str, object]) -> None:
    """Raise BadOption for a hosted model: each worker would pay, and again at a retry."""
    model = options.get("model")
    if is_hosted(model):
        asks = "llm_class_probs" if name == "llm_class_probs" else "llm_classify"
        raise BadOption(
            f"{Option('model', model)} is asked from one place, so that nothing is paid twice: "
            f"sqlfuncs.spark.{asks}(df, 'text', ..., answers='catalog.schema.answers'). In SQL, "
            f"{name} takes a model that fine_tune made, or local: ones."
        )
