"""The text of our macros, made safe from what is in the user's database and session.

DuckDB looks up the functions that a macro calls when it is called, in the caller's schemas: a macro
of the user's that is called `error`, `list_value` or `||` would run in the place of DuckDB's own.
And it reads settings of the session then: `default_order`, `default_null_order`,
`integer_division`. So every body goes through DuckDB's own parser once, and comes back with

- every function of DuckDB's under its full name, operators, lists and structs among them,
- orders spelled out,
- each table that a caller names looked at first, by `_sf_table` and `_sf_is_free`.

Imports duckdb, and runs statements on a connection of its own only.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import Any

import duckdb

from sqlfuncs.engines.duckdb.builtins import builtins
from sqlfuncs.engines.duckdb.names import OWN
from sqlfuncs.engines.duckdb.udf import FREE
from sqlfuncs.errors import InternalError
from sqlfuncs.queries.pieces import Kind, pieces

Node = dict[str, Any]

NAMED = "_sf_table"
_ALL = "_sf_all of sqlfuncs"  # the names of the columns of a table, beside them
_CALLED_WITH_OURS = re.compile(rf"main\.(\w+)\(\s*{OWN}")
# Operators that DuckDB looks up by these names.
_LOOKED_UP = {
    "ARRAY_EXTRACT": "array_extract",
    "ARRAY_SLICE": "array_slice",
    "STRUCT_EXTRACT": "struct_extract",
}


def seal(definitions: tuple[str, ...]) -> tuple[str, ...]:
    """Macros as they are written, `name(parameters) AS body`, with bodies that mean one thing."""
    try:
        return _sealed(definitions)
    except RuntimeError as error:  # how DuckDB tells of a Ctrl-C that it has heard
        if "interrupted" not in str(error):
            raise
        raise KeyboardInterrupt from None


@cache
def _sealed(definitions: tuple[str, ...]) -> tuple[str, ...]:
    taken_apart = [_bodies(definition) for definition in definitions]
    with duckdb.connect() as con:
        sealing = _Sealing(con)
        bodies = [body for each in taken_apart for _, body in each]
        heads = [head for each in taken_apart for head, _ in each]
        trees = sealing.parsed(
            body if head.endswith("TABLE") else f"SELECT {body}"
            for head, body in zip(heads, bodies, strict=True)
        )
        # What others call with a table of ours, whose columns are called as ours.
        known = {name for body in bodies for name in _CALLED_WITH_OURS.findall(body)}
        sealed = [
            sealing.sealed(tree, is_table=head.endswith("TABLE"), looks=_name(head) not in known)
            for head, tree in zip(heads, trees, strict=True)
        ]
        texts = iter(sealing.written(sealed))
    return tuple(
        ", ".join(
            f"{head}\n{text}" if head.endswith("TABLE") else f"{head} ({text[len('SELECT ') :]})"
            for (head, _), text in zip(each, texts, strict=False)
        )
        for each in taken_apart
    )


def _name(head: str) -> str:
    return head.partition("(")[0].strip(' "')


def _bodies(definition: str) -> list[tuple[str, str]]:
    """The heads of a macro, to the word AS or AS TABLE, and the bodies: one of each overload.

    >>> _bodies("f(a) AS a + 1, (a, b) AS g(a, b)")
    [('f(a) AS', 'a + 1'), ('(a, b) AS', 'g(a, b)')]
    """
    found, depth, begins, body = [], 0, 0, -1
    for piece in pieces(definition):
        depth += (piece.text in ("(", "[", "{")) - (piece.text in (")", "]", "}"))
        if depth or piece.kind not in (Kind.WORD, Kind.OTHER):
            continue
        if body < 0 and piece.text == "AS":
            body = piece.at + len("AS")
        elif body >= 0 and piece.text == "TABLE" and not definition[body : piece.at].strip():
            return [(definition[: piece.at + 5], definition[piece.at + 5 :].strip())]
        elif body >= 0 and piece.text == ",":
            found.append((definition[begins:body].strip(), definition[body : piece.at].strip()))
            begins, body = piece.at + 1, -1
    return [*found, (definition[begins:body].strip(), definition[body:].strip())]


def _is_own(argument: Node) -> bool:
    names: list[str] = argument.get("column_names", [""])
    return argument["class"] == "COLUMN_REF" and names[0].startswith(OWN)


def _arguments(call: Node) -> list[Node]:
    """What a function is given, as DuckDB 2 has it, and 1.5."""
    if "arguments" in call:
        return [each["expression"] for each in call["arguments"]]
    return list(call["children"])


def _nodes(tree: object, kind: str) -> Iterator[Node]:
    below = tree.values() if isinstance(tree, dict) else tree if isinstance(tree, Iterable) else ()
    if isinstance(tree, dict) and tree.get("class") == kind:
        yield tree
    for each in below:
        if not isinstance(each, str):
            yield from _nodes(each, kind)


class _Sealing:
    """DuckDB's parser both ways, and what becomes of the nodes of its trees."""

    def __init__(self, con: duckdb.DuckDBPyConnection) -> None:
        self._con = con
        self._templates: dict[str, Node] = {}

    def parsed(self, queries: Iterable[str]) -> list[Node]:
        """The trees of queries."""
        rows = self._con.execute(
            "SELECT json_serialize_sql(q, skip_null := false) FROM unnest($1) AS t(q)",
            [list(queries)],
        ).fetchall()
        trees: list[Node] = [json.loads(text) for (text,) in rows]
        for tree in trees:
            if tree["error"]:
                raise InternalError(f"a macro is no SQL: {tree}")
        return trees

    def written(self, trees: Iterable[Node]) -> list[str]:
        """The queries of trees."""
        rows = self._con.execute(
            "SELECT json_deserialize_sql(q::JSON) FROM unnest($1) AS t(q)",
            [[json.dumps(tree) for tree in trees]],
        ).fetchall()
        return [text for (text,) in rows]

    def sealed(self, tree: Node, *, is_table: bool, looks: bool) -> Node:
        """A tree whose functions are DuckDB's; `looks` at the tables that a caller names."""

        def seal(node: Any) -> Any:
            if isinstance(node, list):
                return [seal(each) for each in node]
            if not isinstance(node, dict):
                return node
            node = {key: seal(value) for key, value in node.items()}
            if "null_order" in node:
                return _in_explicit_order(node)
            match node.get("class"), node.get("type"):
                case "FUNCTION", _:
                    return self._call(node)
                case "WINDOW", _:
                    return _qualified(node)
                case "OPERATOR", str(kind) if kind in _LOOKED_UP:
                    return self._operator(_LOOKED_UP[kind], node)
                case "COLUMN_REF", _ if not is_table and _is_own(node):
                    return self._own_variable(node)
                case _, "JOIN" if node["ref_type"] == "CROSS":
                    # DuckDB 1.5 writes a comma for it, which binds less than the next JOIN does.
                    return {
                        **node,
                        "ref_type": "REGULAR",
                        "condition": self._expression("true", {}),
                    }
                case _, "SELECT_NODE" if _asks_for_names(node):
                    return self._with_names(node)
                case _, "TABLE_FUNCTION" if _is_query_table(node):
                    return self._looked_at(node) if looks else node
            return node

        result: Node = seal(tree)
        return result

    def _call(self, call: Node) -> Node:
        """A call of a function of DuckDB's own, and of no other that has its name."""
        if call["catalog"]:
            return call
        given = _arguments(call)
        if call["function_name"] == "struct_keys" and _is_own(given[0]):
            return {**given[0], "column_names": [_ALL]}
        macro = builtins().macros.get((call["function_name"].lower(), len(given)))
        if macro is None:
            return _qualified(call)
        parameters, text = macro
        expanded = self._expression(text, dict(zip(parameters, given, strict=True)))
        return {**expanded, "alias": call["alias"]}

    def _operator(self, name: str, operator: Node) -> Node:
        given = {f"_{number}": child for number, child in enumerate(operator["children"])}
        call = self._expression(f"{name}({', '.join(given)})", given)
        return {**call, "alias": operator["alias"]}

    def _own_variable(self, column: Node) -> Node:
        """A variable of ours beside the columns of the caller's, which may be called as it is."""
        name, *fields = column["column_names"]
        found = {**column, "column_names": [f"{name} of sqlfuncs"]}
        for field in fields:
            found = self._expression(f"struct_extract(_0, '{field}')", {"_0": found})
        return {**found, "alias": column["alias"]}

    def _looked_at(self, table: Node) -> Node:
        """A table that the caller names: what is no name and columns like ours are refused."""
        function = table["function"]
        (given,) = _arguments(function)
        named = self._expression(f"sqlfuncs.main.{NAMED}(_0)", {"_0": given})
        found = self._template(
            f'SELECT 1 FROM (SELECT COLUMNS(lambda c: "system".main.{FREE}(c)) '
            'FROM "system".main.query_table(_0))'
        )
        subquery: Node = _filled(found, {"_0": named})["statements"][0]["node"]["from_table"]
        return {**subquery, "alias": table["alias"]}

    def _with_names(self, select: Node) -> Node:
        """A SELECT whose table has the names of its columns beside them.

        As a row, a table would be packed by any `struct_pack`.
        """
        table = select["from_table"]
        found = self._template(
            f'SELECT * EXCLUDE ("{_ALL}") FROM '
            f'(SELECT *, struct_keys(struct_pack(*COLUMNS(*))) AS "{_ALL}" FROM _0)'
        )["statements"][0]["node"]
        names = _filled(found["from_table"], {"_0": {**table, "alias": ""}})
        return {
            **select,
            "from_table": {**names, "alias": table["alias"]},
            "select_list": [
                found["select_list"][0] if each["class"] == "STAR" and not each["columns"] else each
                for each in select["select_list"]
            ],
        }

    def _expression(self, text: str, given: Mapping[str, Node]) -> Node:
        """An expression of DuckDB's functions alone, with nodes in the place of names."""
        tree = self._template(f"SELECT {text}")
        made: Node = _filled(tree, given)["statements"][0]["node"]["select_list"][0]
        return made

    def _template(self, query: str) -> Node:
        if query not in self._templates:
            (tree,) = self.parsed([query])
            self._templates[query] = self.sealed(tree, is_table=True, looks=False)
        return self._templates[query]


def _in_explicit_order(order: Node) -> Node:
    kind, nulls = order["type"], order["null_order"]
    return {
        **order,
        "type": "ASCENDING" if kind == "ORDER_DEFAULT" else kind,
        "null_order": "NULLS_LAST" if nulls == "ORDER_DEFAULT" else nulls,
    }


def _qualified(call: Node) -> Node:
    """A call by the full name of DuckDB's function, or of one that we have made in Python."""
    name = call["function_name"]
    if call["catalog"]:
        return call
    if name.lower() not in builtins().names and not name.startswith(OWN):
        raise InternalError(f"DuckDB has no function {name}, which a macro calls")
    path = (
        {"qualified_name": {"path": ["system", "main", name]}} if "qualified_name" in call else {}
    )
    operator = {"is_operator": False} if "is_operator" in call else {}
    return {**call, "catalog": "system", "schema": "main", **path, **operator}


def _is_query_table(table: Node) -> bool:
    name: str = table["function"]["function_name"]
    return name == "query_table"


def _asks_for_names(select: Node) -> bool:
    columns = _nodes([select["select_list"], select["where_clause"]], "COLUMN_REF")
    return any(column["column_names"] == [_ALL] for column in columns)


def _filled(tree: Any, given: Mapping[str, Node]) -> Any:
    """A tree with nodes in the place of columns, and of tables, of these names."""
    if isinstance(tree, list):
        return [_filled(each, given) for each in tree]
    if not isinstance(tree, dict):
        return tree
    if tree.get("class") == "COLUMN_REF" and tree["column_names"][0] in given:
        return given[tree["column_names"][0]]
    if tree.get("type") == "BASE_TABLE" and tree["table_name"] in given:
        return given[tree["table_name"]]
    return {key: _filled(value, given) for key, value in tree.items()}
