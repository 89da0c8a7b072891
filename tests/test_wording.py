"""Messages are in the words of the engine in whose call they are made."""

from __future__ import annotations

import ast
import threading
from collections.abc import Sequence

import duckdb
import pyarrow as pa
import pytest

from sqlfuncs import wording
from sqlfuncs.engines.duckdb.dialect import DIALECT, SNIPPETS
from sqlfuncs.errors import BadInput, BadOption
from sqlfuncs.functions.cancel_job import cancel_job
from sqlfuncs.learning.rows import registry
from sqlfuncs.llm import asking
from sqlfuncs.llm.budget import Limits
from sqlfuncs.llm.scripted import ScriptedProvider
from sqlfuncs.llm.task import Task
from sqlfuncs.wording import Call, Cast, Given, Literal, Option, Snippet, TypeName, Variable, Words
from tests.test_imports import MODULES


class Loud:
    """A dialect that is nobody's, so that what is in it cannot have come from elsewhere."""

    def identifier(self, name: str) -> str:
        return f"`{name}`"

    def literal(self, value: object) -> str:
        return f"<{value}>"

    def type_name(self, of: pa.DataType | type[pa.DataType]) -> str:
        return of.__name__.upper() if isinstance(of, type) else str(of).upper()

    def option(self, name: str, value: str) -> str:
        return f"{name} => {value}"

    def call(self, function: str, arguments: Sequence[str], *, is_table: bool) -> str:
        return f"{'TABLE ' if is_table else ''}{function}!({'; '.join(arguments)})"

    def cast(self, expression: str, to: pa.DataType) -> str:
        return f"CAST({expression} AS {self.type_name(to)})"

    def set_variable(self, name: str, value: str) -> str:
        return f"SET {name} TO {value}"

    def snippet(self, name: str) -> str:
        return f"({name})"


@pytest.mark.parametrize(
    ("part", "in_duckdb", "loud"),
    [
        (Option("k", 3), "k := 3", "k => <3>"),
        (Option("cut", "a'b"), "cut := 'a''b'", "cut => <a'b>"),
        (Option("cut", Given("a'b")), "cut := 'a'b'", "cut => 'a'b'"),
        (Option("x", Words("t.", TypeName(pa.int32()))), "x := t.INTEGER", "x => t.INT32"),
        (
            Call("f", "t", Call("g", Option("k", ...)), is_table=True),
            "FROM f(t, g(k := ...))",
            "TABLE f!(t; g!(k => <Ellipsis>))",
        ),
        (Cast("x", pa.list_(pa.float32())), "x::FLOAT[]", "CAST(x AS LIST<ITEM: FLOAT>)"),
        (TypeName(pa.MapType), "MAP", "MAPTYPE"),
        (Variable("a", "b"), "SET VARIABLE a = 'b'", "SET a TO <b>"),
        (Literal({"a": ["b"]}), "MAP {'a': ['b']}", "<{'a': ['b']}>"),
        (Literal("\0"), "'\\x00'", "<\0>"),  # which has no literal in DuckDB
        (Snippet("lists as one list"), "flatten(x)", "(lists as one list)"),
    ],
)
def test_a_part_is_put_into_words(part: wording.Part, in_duckdb: str, loud: str) -> None:
    assert f"{part}" == in_duckdb
    assert part.worded(DIALECT) == in_duckdb
    with wording.speaking(Loud()):
        assert f"{part}" == loud
    assert str(part) == in_duckdb


def test_errors_are_in_the_words_of_who_has_called() -> None:
    with wording.speaking(Loud()):
        assert str(BadOption.among("cut", "x", ["auto"])).startswith("cut => 'x' is not known")
        with pytest.raises(BadInput, match=r"TABLE jobs!\(\) lists them"):
            cancel_job(3)
        with pytest.raises(BadInput, match=r"of type INT64.*text \(STRING\).*a STRUCTTYPE: \("):
            registry.read(pa.array([1]))


def test_within_a_call_of_duckdbs_they_are_its_own(con: duckdb.DuckDBPyConnection) -> None:
    con.execute("SET threads = 1")  # so that it is this thread that computes
    with wording.speaking(Loud()), pytest.raises(duckdb.Error, match=r"FROM jobs\(\) lists them"):
        con.execute("FROM cancel_job(3)")


def test_threads_that_ask_have_the_words_of_who_has_called(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    heard = []
    asked = ScriptedProvider.ask

    def ask(self: ScriptedProvider, *given: object, **more: object) -> object:
        heard.append((threading.current_thread().name, str(Option("k", 1))))
        return asked(self, *given, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(ScriptedProvider, "ask", ask)
    with wording.speaking(Loud()):
        task = Task.read(["a", "b"])
        asking.ask(ScriptedProvider(""), "fake:", task, ["one", "two"], budget=Limits())
    assert set(heard) == {("sqlfuncs-ask", "k => <1>")}


def test_duckdb_has_every_snippet_and_no_other() -> None:
    named = {
        ast.literal_eval(node.args[0])
        for file in MODULES.values()
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "Snippet"
    }
    assert named == set(SNIPPETS)
