"""Names of the user's that are also DuckDB's or ours: macros, tables, columns; and settings."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from functools import cache
from pathlib import Path

import duckdb
import pytest

import sqlfuncs
from sqlfuncs.cli.run import opened, ready, rendered
from sqlfuncs.engines.duckdb import catalog, statements
from sqlfuncs.engines.duckdb.builtins import builtins
from sqlfuncs.engines.duckdb.functions import functions
from sqlfuncs.engines.duckdb.macros import create_statements
from sqlfuncs.engines.duckdb.reviewing import ReviewedTable
from sqlfuncs.engines.duckdb.signatures import signatures
from sqlfuncs.errors import BadInput, StatementFailed
from sqlfuncs.queries import files
from sqlfuncs.review.decisions import Decision
from tests.engines.calls import (
    CALLS,
    OTHERS,
    connection,
    make_issues,
    make_tables,
    outcome,
    outcomes,
)

MOST = 5  # parameters that a macro of the user's may have here


def _texts() -> list[str]:
    return [text for text in create_statements(functions(), "sqlfuncs") if " AS " in text]


def _called() -> list[str]:
    """Every function of DuckDB's that the text of a macro of ours calls, as DuckDB has it."""
    found = set()
    for text in _texts():
        found |= set(re.findall(r'"system"\.main\."?([^"(]+)"?\(', text))
    return sorted(name for name in found if not name.startswith("_sf_"))


def _shadow(con: duckdb.DuckDBPyConnection, names: list[str], where: str) -> int:
    """Macros that return nonsense for any number of arguments, called like DuckDB's functions."""
    made = 0
    for name in names:
        heads = [", ".join(f"p{i}" for i in range(count)) for count in range(MOST)]
        scalar = ", ".join(f"({head}) AS 'nonsense'" for head in heads)
        table = ", ".join(f"({head}) AS TABLE (SELECT 'nonsense' AS x)" for head in heads)
        quoted = '"' + name.replace('"', '""') + '"'
        for body in (scalar, table):
            con.execute(f"CREATE OR REPLACE {where} {quoted}{body}")
            made += 1
    return made


def test_each_function_has_a_call() -> None:
    with sqlfuncs.connect() as con:
        assert {each.name for each in signatures(con)} == CALLS.keys() | OTHERS


def test_no_macro_of_ours_calls_a_name_that_can_be_taken() -> None:
    """By DuckDB's own parser: the tree of each body, with operators and lists in it."""
    with duckdb.connect() as con:
        for text in _texts():
            head, _, body = text.partition(" AS ")
            if not head.startswith("CREATE OR REPLACE MACRO") or ", (given) AS" in body:
                continue
            query = body.removeprefix("TABLE")
            query = query if body.startswith("TABLE") else f"SELECT {body}"
            ((tree,),) = con.execute("SELECT json_serialize_sql($1)", [query]).fetchall()
            for found in re.findall(r'\{[^{}]*"function_name":"[^"]+"', tree):
                name = re.findall(r'"function_name":"([^"]+)"', found)[0]
                assert f'"{name}"' in text or f".{name}(" in text, (head, name)
            assert '"is_operator":true' not in tree, head
            orders = re.findall(r'"null_order":"(\w+)|"type":"(ORDER_DEFAULT)"', tree)
            assert not any("ORDER_DEFAULT" in each for each in orders), head
            assert json.loads(tree)["error"] is False


@pytest.mark.parametrize("where", ["MACRO", "TEMP MACRO"])
@pytest.mark.parametrize("when", ["before", "after"])
def test_macros_of_the_user_change_no_result(tmp_path: Path, where: str, when: str) -> None:
    with connection() as con:
        expected = outcomes(con)
    file = tmp_path / "own.duckdb"
    with duckdb.connect(str(file)) as plain:
        make_tables(plain)
        names = [*_called(), *(name for name in CALLS if when == "after")]
        assert {"any_value", "list_sort", "map_keys"} <= {*names}
        if when == "before" and where == "MACRO":
            assert _shadow(plain, names, where)
    with duckdb.connect(str(file)) as con:
        if when == "before" and where != "MACRO":
            _shadow(con, names, where)
        sqlfuncs.register(con)
        if when == "after":
            _shadow(con, names, where)
        con.execute("SET search_path = 'own.main,sqlfuncs.main'")
        make_issues(con)
        for name, sql in CALLS.items():
            full = re.sub(rf"\b{name}\(", f"sqlfuncs.main.{name}(", sql)
            try:
                assert repr(outcome(con, full)) == repr(expected[name]), name
            except duckdb.BinderException as error:
                # DuckDB 1.5 looks up an aggregate over a window by its bare name, to refuse it.
                assert "Window function macros" in str(error) and duckdb.__version__ < "2", name


def test_a_file_with_macros_called_like_built_ins_is_opened(tmp_path: Path) -> None:
    file = tmp_path / "own.duckdb"
    with duckdb.connect(str(file)) as plain:
        _shadow(plain, sorted(name for name in builtins().names if name.isalpha()), "MACRO")
    with sqlfuncs.connect(file) as con:
        probs = "CAST('{a=0.5, b=0.5}' AS MAP(VARCHAR, DOUBLE))"  # MAP itself is the user's here
        assert con.execute(f"SELECT label_quality('a', {probs})").fetchall() == [(0.5,)]


def test_a_stale_decision_is_refused_though_error_is_a_macro_of_the_user() -> None:
    with connection() as con:
        con.execute("CREATE MACRO error(m) AS true; UPDATE log SET old_label = 'stale'")
        with pytest.raises(duckdb.Error, match="no longer the label"):
            con.execute("FROM apply_corrections(t, log, id, label)").fetchall()


LOOP = [
    ("detect", {"table": "t", "text": "probs", "into": "found"}),
    ("review_queue", {"issues": "found"}),
    ("decide", {"table": "t", "keys": "5,11", "new_label": "a", "log": "decided"}),
    ("undo", {"log": "decided"}),
    ("decide", {"table": "t", "keys": "22", "action": "exclude", "log": "decided"}),
    ("correct", {"table": "t", "issues": "found", "log": "decided"}),
    ("prune", {"issues": "found"}),
    ("review_progress", {"issues": "found", "log": "decided"}),
    ("publish", {"issues": "found", "log": "decided"}),
    ("take_review", {"table": "t", "answers": "t", "answer": "truth"}),
]  # fmt: skip


def _loop(con: duckdb.DuckDBPyConnection, file: Path) -> list[object]:
    found: list[object] = []
    for name, given in [("load", {"file": str(file), "table": "loaded"}), *LOOP]:
        query = files.find(name)
        sql = ready(con, query, rendered(query, given))
        found += [
            [row[:2] for row in result.rows]  # moments stand further right
            for result in statements.run(con, sql)
            if result.columns
        ]
    return found


@pytest.mark.parametrize("where", ["MACRO", "TEMP MACRO"])
def test_query_files_run_beside_macros_of_the_user(tmp_path: Path, where: str) -> None:
    """All that SQL writes by a name: what stands for `||` or a list cannot be told in a text."""
    csv = tmp_path / "rows.csv"
    csv.write_text("id,text\n1,a\n2,\n")
    with connection() as con:
        expected = _loop(con, csv)
    with connection() as con:
        written = {
            name.lower()
            for query in files.shipped()
            for name in re.findall(r"(?<![.\w])([a-z_]+)\(", query.text)
        }
        names = sorted(written & builtins().names - {"contains", "list_value"})
        assert len(names) > 25
        _shadow(con, names, where)
        _shadow(con, ["label_issues", "apply_corrections"], where)
        assert repr(_loop(con, csv)) == repr(expected)


def test_a_macro_that_changes_what_sql_means_is_told_before_a_query_file_runs() -> None:
    with connection() as con:
        con.execute('CREATE MACRO "||"(a, b) AS 1')
        query = files.find("detect")
        with pytest.raises(BadInput, match=r"a macro called \|\|"):
            ready(con, query, rendered(query, {"table": "t"}))


NAMES = [
    "user", "current_user", "session_user", "current_date", "current_time", "current_timestamp",
    "localtime", "current_schema", "duckdb", "main", '"', 'a"b', '""', "select", "table", "group",
    "order", "work", "con", "statement", "a b", "Ü", "x'y", "tbl", "log", "issues", "range",
    "system", "sqlfuncs", "label", "query_table", "_sf_in", "_sf_rows",
]  # fmt: skip


@cache
def _expected() -> dict[str, object]:
    with connection() as con:
        return outcomes(con)


def _of_t(sql: str) -> bool:
    return re.search(r"\bt\b", sql) is not None


@pytest.mark.parametrize("name", NAMES)
def test_a_table_of_any_name_is_meant_or_refused(name: str) -> None:
    quoted = '"' + name.replace('"', '""') + '"'
    expected = {call: given for call, given in _expected().items() if _of_t(CALLS[call])}
    with connection() as con:
        con.execute("ALTER TABLE t RENAME TO kept")
        # What DuckDB reads such a name as is there, too, and another table.
        for other in ("duckdb", "main", "memory"):
            con.execute(f'CREATE TABLE "{other}" AS FROM kept LIMIT 7')
        if name in ("log", "issues"):
            con.execute(f"ALTER TABLE {name} RENAME TO other_{name}")
        con.execute(f"CREATE OR REPLACE TABLE {quoted} AS FROM kept")
        for call, result in expected.items():
            sql = CALLS[call]
            if name in ("log", "issues"):
                sql = re.sub(rf"\b{name}\b(?= *[,)])", f"other_{name}", sql)
            sql = re.sub(r"(?<=[( ])t(?=[,]|$)", lambda _: quoted, sql)
            try:
                assert repr(outcome(con, sql)) == repr(result), sql
            except duckdb.Error as error:
                # DuckDB 1.5 reads such a name as none, or as another that there is not.
                is_unread = '"' in name and duckdb.__version__ < "2"
                is_told = "WITH input AS" in str(error) or name.startswith("_sf_")
                assert is_told or is_unread, (sql, error)
            if "FROM t" not in CALLS[call] and name not in ("log", "issues"):
                inside = re.sub(r"(?<=\()t(?=,)", "input", CALLS[call])
                inside = re.sub(r"(?<= )t(?=,)", "input", inside)
                found = outcome(con, f"WITH input AS (FROM {quoted}) {inside}")
                assert repr(found) == repr(result), inside


def _own_columns() -> list[str]:
    """Every name that begins with `_sf_` in the text of a macro of ours."""
    found: set[str] = set()
    for text in _texts():
        found |= set(re.findall(r"\b_sf_\w+", text.partition(" AS ")[2]))
    return sorted(found)


@cache
def _written(call: str) -> frozenset[str]:
    """Those in the text of a macro, and of the macros that it calls."""
    bodies = {
        re.findall(r'MACRO \w+\.main\."?(\w+)', text)[0]: text.partition(" AS ")[2]
        for text in _texts()
        if text.startswith("CREATE OR REPLACE MACRO")
    }
    found = set(re.findall(r"\b_sf_\w+", bodies[call]))
    called = set(re.findall(r'main\."?(\w+)', bodies[call])) & bodies.keys() - {call}
    return frozenset(found.union(*map(_written, called)))


@pytest.mark.parametrize("case", [str.lower, str.upper], ids=["lower", "upper"])
@pytest.mark.parametrize("call", CALLS)
def test_a_column_called_like_ours_is_named_or_does_no_harm(
    call: str, case: Callable[[str], str]
) -> None:
    every = _own_columns()
    assert len(every) > 100
    # All that could do harm there, and a few of others.
    written = _written(call)
    names = [case(name) for name in every if name in written or len(name) % 10 == 0]
    assert len(names) >= 10
    sql = CALLS[call]
    table = next(
        each for each in ("t", "issues", "votes", "log") if re.search(rf"[( ]{each}\b", sql)
    )
    inside = re.sub(rf"(?<=[( ]){table}(?=[,]|$)", "input", sql)
    harmless = []
    with connection() as con:
        expected = _expected()[call]
        for name in names:
            query = f'WITH input AS (SELECT *, 1 AS "{name}" FROM {table}) {inside}'
            try:
                con.execute(f"EXPLAIN {query}").fetchall()
            except duckdb.Error as error:
                assert f'the table has the column "{name}"' in str(error), (query, error)
            else:
                harmless.append(f'1 AS "{name}"')
        if harmless:
            assert call in ("label_quality", "label_set", "suggest_label"), harmless
            together = f"WITH input AS (SELECT *, {', '.join(harmless)} FROM {table}) {inside}"
            assert repr(outcome(con, together)) == repr(expected)


def test_a_label_column_called_like_a_variable_of_ours_is_read() -> None:
    with connection() as con:
        for name in ("_sf_e", "_sf_p", "_sf_w"):
            found = outcome(
                con,
                f"WITH u AS (SELECT label AS {name}, probs FROM t) "
                f"SELECT label_quality({name}, probs, 'normalized_margin') FROM u",
            )
            assert found[1] == outcome(con, CALLS["label_quality"])[1]  # type: ignore[index]


SETTINGS = [
    "default_order = 'DESC'",
    "default_null_order = 'nulls_first'",
    "default_null_order = 'nulls_last_on_asc_first_on_desc'",
    "integer_division = true",
    "ieee_floating_point_ops = false",
    "old_implicit_casting = true",
    "scalar_subquery_error_on_multiple_rows = false",
    "preserve_insertion_order = false",
    "TimeZone = 'Asia/Kolkata'",
    "Calendar = 'buddhist'",
    "threads = 1",
    "default_collation = 'nocase'",
    "order_by_non_integer_literal = true",
]


@pytest.mark.parametrize("setting", SETTINGS)
def test_no_setting_of_the_session_changes_a_result(setting: str) -> None:
    with connection() as con:
        expected = outcomes(con)
        con.execute(f"SET {setting}")
        for name, result in outcomes(con).items():
            assert repr(result) == repr(expected[name]), name


def test_a_missing_table_is_no_variable_of_ours(tmp_path: Path) -> None:
    with sqlfuncs.connect() as con:
        for name in ("con", "work", "statement", "statements", "duckdb", "nothing", "re", "np"):
            with pytest.raises(StatementFailed) as caught:
                for _ in statements.run(con, f"FROM {name}"):
                    pass
            assert "does not exist" in str(caught.value), name
    with opened(str(tmp_path / "new.duckdb")) as con:
        con.execute("CREATE TABLE there AS SELECT 1 AS id")
        for name in ("con", "name", "tmp_path", "pytest"):
            with pytest.raises(duckdb.CatalogException):
                con.cursor().execute(f"FROM {name}")


def test_variables_of_the_user_are_tables_still() -> None:
    con = sqlfuncs.connect()
    frame = con.execute("SELECT 'a' AS label, MAP {'a': 0.5, 'b': 0.5} AS probs").df()
    assert len(frame) == 1
    assert con.sql("SELECT count(*) FROM frame").fetchall() == [(1,)]
    con.close()


def _asked_by_the_page(con: duckdb.DuckDBPyConnection) -> list[object]:
    table = ReviewedTable(con, table="t", text="text", label="label", key="id", x="vec", log="lg")
    table.append([Decision("5", "keep", "b", None, "ann", None, "")])
    with pytest.raises(BadInput, match="several rows have a, b"):
        catalog.check_keys(con, "t", "label")
    return [
        table.rows().to_pylist(),
        [each.key for each in table.log()],
        table.details("7"),
        len(table.alike() or []),
        catalog.tables(con),
        catalog.definitions(con, "votes"),
        catalog.about(con, "evaluate"),
    ]


def test_the_page_and_the_shell_ask_no_macro_of_the_user() -> None:
    with connection() as con:
        expected = _asked_by_the_page(con)
    with connection() as con:
        _shadow(con, sorted(name for name in builtins().names if name.isidentifier()), "TEMP MACRO")
        assert _asked_by_the_page(con) == expected
