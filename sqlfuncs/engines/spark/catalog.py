"""What a catalog of Databricks' (Unity Catalog) can hold of our functions: generated SQL.

Functions in SQL go there as they are. Those in Python become batch functions, whose few lines call
`computed` here: they hand over pandas where sessions hand over Arrow.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import pyarrow as pa

import sqlfuncs
from sqlfuncs import plugins
from sqlfuncs.engines.spark import scalars, sql_functions
from sqlfuncs.engines.spark.dialect import DIALECT
from sqlfuncs.engines.spark.types import type_name
from sqlfuncs.errors import BadInput
from sqlfuncs.functions.spec import ScalarFunction

# Functions in Python: their parameters with their types. A catalog's have no optional ones.
PYTHON: Mapping[str, Mapping[str, str]] = {
    "embed": {"text": "STRING", "model": "STRING"},
    "judge_labels": {"x": "STRING", "label": "STRING", "judge": "STRING"},
    "llm_classify": {"text": "STRING", "model": "STRING"},
}


def statements(catalog: str, schema: str, home: str) -> Iterator[str]:
    """The statements that put the functions into a schema, each without its semicolon.

    `home` is a folder that all workers see, where judges and models are kept. Raises BadInput for
    a name that cannot be one.
    """
    try:
        at = f"{DIALECT.identifier(catalog)}.{DIALECT.identifier(schema)}"
    except ValueError as error:
        raise BadInput(str(error)) from None
    if "'" in home or "$" in home or "\\" in home or "\n" in home:
        raise BadInput(f"{home!r} cannot be the folder of a catalog's functions.")
    for name, text in sql_functions.texts():
        if not name.startswith("_"):
            yield f"CREATE OR REPLACE FUNCTION {at}.{text}"
    for name in PYTHON:
        yield _python(at, name, home)


def head(name: str) -> str:
    """Name, parameters and result of a function in Python.

    >>> head("embed")
    'embed(text STRING, model STRING)\\nRETURNS ARRAY<FLOAT>'
    """
    parameters = ", ".join(f"{each} {of}" for each, of in PYTHON[name].items())
    return f"{name}({parameters})\nRETURNS {type_name(_returned(name))}"


def _returned(name: str) -> pa.DataType:
    own = "_judged_labels" if name == scalars.JUDGE else name
    return next(
        function.returns
        for function in plugins.functions()
        if function.name == own and isinstance(function, ScalarFunction)
    )


def body(name: str, home: str) -> str:
    """The Python of a function: `handler(batches)`."""
    return f"""import os

os.environ.setdefault("SQLFUNCS_HOME", {home!r})


def handler(batches):
    from sqlfuncs.engines.spark import catalog

    yield from catalog.computed({name!r}, batches)
"""


def _python(at: str, name: str, home: str) -> str:
    needed = json.dumps([f"sqlfuncs[local]=={sqlfuncs.__version__}"])
    return (
        "-- In Python: Unity Catalog alone takes it, no other Spark.\n"
        f"CREATE OR REPLACE FUNCTION {at}.{head(name)}\n"
        "LANGUAGE PYTHON\n"
        "PARAMETER STYLE PANDAS\n"
        "HANDLER 'handler'\n"
        f"ENVIRONMENT (dependencies = '{needed}', environment_version = 'None')\n"
        f"AS $$\n{body(name, home)}$$"
    )


def computed(name: str, batches: Iterable[tuple[Any, ...]]) -> Iterator[Any]:
    """What a function gives for batches of columns, as pandas has them: a Series, or a DataFrame.

    Raises what the function raises.
    """
    names = list(PYTHON[name])
    call = scalars.Judge(None, None) if name == scalars.JUDGE else scalars.Scalar(name)
    for batch in batches:
        arrays = [pa.array(column, pa.string(), from_pandas=True) for column in batch]
        given = dict(zip(names, arrays, strict=True))
        result = call(**given)
        if pa.types.is_struct(result.type):
            flat = zip(result.type.names, result.flatten(), strict=True)
            yield pa.table(dict(flat)).to_pandas(maps_as_pydicts="lossy")
        else:
            yield result.to_pandas()
