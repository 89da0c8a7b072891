"""`drop_model(name)`: remove a trained model."""

from __future__ import annotations

import pyarrow as pa

from sqlfuncs.errors import UnknownModel
from sqlfuncs.functions.models import COLUMNS, as_rows
from sqlfuncs.functions.spec import ListFunction
from sqlfuncs.store import stores


def drop_model(name: object) -> pa.StructArray:
    """Remove a trained model, all its versions, which come back as rows like those of models().

    Errors: a name that does not exist, listing those that do.
    """
    if not isinstance(name, str):
        raise UnknownModel(f"drop_model takes the name of a model, not {name!r}.")
    return as_rows(stores.models().drop(name))


FUNCTION = ListFunction(name="drop_model", compute=drop_model, returns=COLUMNS, arguments=("name",))
