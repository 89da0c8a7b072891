"""A query file that comes statement by statement, as editors send it."""

from __future__ import annotations

import re
from collections.abc import Callable

from sqlfuncs.errors import BadQueryFile
from sqlfuncs.queries.header import Parameter, QueryFile, parse
from sqlfuncs.queries.render import Quoting, render

PREFIX = "param_"
_TEMPLATE = re.compile(r"\{\{|\{%")


class Piecewise:
    """Renders statements by the header that came last, with its defaults or what is chosen.

    `chosen` gives the value for the name of a variable, None where there is none: for a parameter
    `table`, that of `param_table`.
    """

    def __init__(self, quoting: Quoting, chosen: Callable[[str], str | None]) -> None:
        """No header has come yet."""
        self._quoting = quoting
        self._chosen = chosen
        self._parameters: tuple[Parameter, ...] | None = None

    def sql(self, text: str) -> str:
        """The SQL of one statement. Raises BadQueryFile."""
        file = parse("the query", text.lstrip())
        if file.parameters:
            self._parameters = file.parameters
        if not _TEMPLATE.search(file.text):
            return text
        if self._parameters is None:
            raise BadQueryFile(
                "this is a template whose parameters are not known. Run its first statement, with "
                "the lines -- param above it, before; or run the file: sqlfuncs run FILE."
            )
        given = {}
        for parameter in self._parameters:
            value = self._chosen(f"{PREFIX}{parameter.name}")
            if value is not None:
                given[parameter.name] = value
        piece = QueryFile(file.name, file.title, file.answers, self._parameters, file.text)
        return render(piece, given, self._quoting)
