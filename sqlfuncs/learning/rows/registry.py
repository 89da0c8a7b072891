"""Which kinds of rows there are: ours, and those of other packages (entry points `sqlfuncs.rows`).

An entry point names a class that is a `base.Rows`. Those of others are asked first, so that they
can take columns that ours would read as something else, such as the paths of files.
"""

from __future__ import annotations

from functools import cache

import pyarrow as pa

from sqlfuncs.entry_points import classes
from sqlfuncs.errors import BadInput
from sqlfuncs.learning.rows.base import Rows
from sqlfuncs.learning.rows.embedding import Embeddings
from sqlfuncs.learning.rows.fields import Fields
from sqlfuncs.learning.rows.image import Images
from sqlfuncs.learning.rows.probabilities import Probabilities
from sqlfuncs.learning.rows.text import Texts
from sqlfuncs.wording import TypeName

GROUP = "sqlfuncs.rows"
_OURS: tuple[type[Rows], ...] = (Images, Texts, Embeddings, Fields, Probabilities)


@cache
def kinds() -> tuple[type[Rows], ...]:
    """Every kind, in the order in which they are asked."""
    others = classes(GROUP, Rows, what="the rows", none="no kind of rows")  # type: ignore[type-abstract]
    return (*others, *_OURS)


def read(x: pa.Array) -> Rows:
    """The rows of a column, by its type. Raises BadInput for a type that is not known."""
    return of_type(x.type).read(x)


def read_column(x: pa.Array) -> Rows:
    """The rows of a whole column: as `read`, but text may be the paths of files.

    Raises BadInput for paths of files that are not there, or not understood.
    """
    return kind_of(x).read(x)


def kind_of(x: pa.Array) -> type[Rows]:
    """What the rows of a whole column are. Raises BadInput as `read_column`."""
    return next((kind for kind in kinds() if kind.is_column(x)), None) or of_type(x.type)


def of_type(of: pa.DataType) -> type[Rows]:
    """What the rows of columns of a type are. Raises BadInput for one that is not known."""
    for kind in kinds():
        if kind.is_type(of):
            return kind
    examples = ", ".join(str(kind.example) for kind in (Texts, Embeddings, Fields, Images))
    raise BadInput(
        f"x is of type {TypeName(of)}, which cannot be read. It may be {examples} "
        f"or {Probabilities.example}."
    )
