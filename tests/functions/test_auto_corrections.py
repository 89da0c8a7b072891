from __future__ import annotations

import duckdb
import pytest

from tests.functions.decisions import decide
from tests.functions.issue_tables import Issue, issues, strong, weak

COLUMNS = ["key", "action", "old_label", "new_label", "decided_by", "reason", "decided_at"]
SUSPECTS: list[Issue] = [
    (3, "a", {"a": 0.05, "b": 0.95}, True),
    (1, "a", {"a": 0.45, "b": 0.55}, True),  # the suggestion is not likely enough
    (2, "b", {"a": 0.80, "b": 0.20}, True),
    (4, "b", {"a": 0.95, "b": 0.05}, False),  # not flagged
    (5, "a", {"a": 0.00, "b": 1.00}, True),
    (6, "a", None, False),  # not judged
]


def _proposed(con: duckdb.DuckDBPyConnection, options: str = "") -> list[tuple[object, ...]]:
    return con.execute(
        "SELECT key, action, old_label, new_label "
        f"FROM auto_corrections(issues, id, label{options})"
    ).fetchall()


def test_what_is_proposed(
    con: duckdb.DuckDBPyConnection, capsys: pytest.CaptureFixture[str]
) -> None:
    issues(con, [*strong(), *SUSPECTS])
    found = con.execute("FROM auto_corrections(issues, id, label)")
    assert [column[0] for column in found.description or []] == COLUMNS
    rows = found.fetchall()
    assert [row[:6] for row in rows] == [
        (2, "relabel", "b", "a", "auto_corrections", "a has probability 0.800, the given b 0.200"),
        (3, "relabel", "a", "b", "auto_corrections", "b has probability 0.950, the given a 0.050"),
        (5, "relabel", "a", "b", "auto_corrections", "b has probability 1.000, the given a 0.000"),
    ]
    assert len({row[6] for row in rows}) == 1
    assert con.execute(
        "SELECT (now() AT TIME ZONE 'UTC') - ? < INTERVAL 1 MINUTE", [rows[0][6]]
    ).fetchall() == [(True,)]
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(("least", "keys"), [(0, [2, 3, 5]), (1, [5])])
def test_min_confidence(con: duckdb.DuckDBPyConnection, least: float, keys: list[int]) -> None:
    issues(con, [*strong(), *SUSPECTS])
    found = _proposed(con, f", min_confidence := {least}")
    assert [row[0] for row in found] == keys


def test_a_min_confidence_in_percent_is_an_error(con: duckdb.DuckDBPyConnection) -> None:
    issues(con, [*strong(), *SUSPECTS])
    with pytest.raises(duckdb.InvalidInputException, match="min_confidence := 90 is no probab"):
        _proposed(con, ", min_confidence := 90")


def test_a_label_the_map_lacks_is_not_proposed(con: duckdb.DuckDBPyConnection) -> None:
    issues(con, [*strong(), (1, "c", {"a": 0.05, "b": 0.95}, True)])
    assert _proposed(con) == []


def test_exclude(con: duckdb.DuckDBPyConnection) -> None:
    issues(con, [*strong(), *SUSPECTS])
    found = _proposed(con, ", action := 'exclude'")
    assert found == [
        (2, "exclude", "b", None),
        (3, "exclude", "a", None),
        (5, "exclude", "a", None),
    ]


@pytest.mark.parametrize("rows", [strong(), weak()])
@pytest.mark.parametrize("action", ["keep", "Relabel", ""])
def test_an_unknown_action(con: duckdb.DuckDBPyConnection, rows: list[Issue], action: str) -> None:
    issues(con, rows)
    with pytest.raises(duckdb.InvalidInputException) as caught:
        _proposed(con, f", action := '{action}'")
    assert f"action := '{action}' is not known. It may be 'relabel', 'exclude'" in str(caught.value)


def test_an_action_of_null_is_not_proposed(con: duckdb.DuckDBPyConnection) -> None:
    issues(con, [*strong(), *SUSPECTS])
    assert {row[1] for row in _proposed(con, ", action := NULL")} <= {"relabel"}


def test_a_min_confidence_of_null_is_the_default(con: duckdb.DuckDBPyConnection) -> None:
    issues(con, [*strong(), *SUSPECTS])
    assert [row[0] for row in _proposed(con, ", min_confidence := NULL")] == [2, 3, 5]


def test_a_model_too_weak_proposes_nothing_and_says_why(
    con: duckdb.DuckDBPyConnection, capsys: pytest.CaptureFixture[str]
) -> None:
    issues(con, weak())
    assert _proposed(con) == []
    said = capsys.readouterr().err
    assert said.startswith("sqlfuncs: auto_corrections proposes nothing: the model is too weak")
    assert said.count("\n") == 1
    ((reason,),) = con.execute("SELECT reason FROM model_strength(issues, label)").fetchall()
    assert str(reason) in said


@pytest.mark.parametrize("statement", ["CREATE TABLE p AS FROM {}", "SELECT count(*) FROM {}"])
def test_the_remark_is_made_once(
    con: duckdb.DuckDBPyConnection, capsys: pytest.CaptureFixture[str], statement: str
) -> None:
    issues(con, weak())
    con.execute(statement.format("auto_corrections(issues, id, label)")).fetchall()
    assert capsys.readouterr().err.count("proposes nothing") == 1


@pytest.mark.parametrize("rows", [[], [(1, "a", None, False)]])
def test_without_a_judged_row_it_says_so(
    con: duckdb.DuckDBPyConnection, capsys: pytest.CaptureFixture[str], rows: list[Issue]
) -> None:
    issues(con, rows)
    assert _proposed(con) == []
    assert capsys.readouterr().err == (
        "sqlfuncs: auto_corrections proposes nothing: no row was judged\n"
    )


def test_nothing_flagged_is_nothing_proposed(
    con: duckdb.DuckDBPyConnection, capsys: pytest.CaptureFixture[str]
) -> None:
    issues(con, strong())
    assert _proposed(con) == []
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("kind", "names", "values"),
    [
        ("INTEGER", ("0", "1"), (0, 1)),
        ("BOOLEAN", ("true", "false"), (True, False)),
        ("ENUM('x', 'y')", ("y", "x"), ("y", "x")),
        ("VARCHAR", ("it's %s {}", "🎈"), ("it's %s {}", "🎈")),
    ],
)
@pytest.mark.parametrize("action", ["relabel", "exclude"])
def test_labels_have_their_own_type_and_the_log_can_be_applied(
    con: duckdb.DuckDBPyConnection,
    kind: str,
    names: tuple[str, str],
    values: tuple[object, object],
    action: str,
) -> None:
    old, new = names
    issues(con, [*strong(names), (1, old, {old: 0.02, new: 0.98}, True)], kind)
    call = f"auto_corrections(issues, id, label, action := '{action}')"
    found = con.execute(f"FROM {call}")
    assert [str(column[1]) for column in found.description or []][2:4] == [kind, kind]
    ((_, _, given, suggested, _, reason, _),) = found.fetchall()
    assert (given, suggested) == (values[0], values[1] if action == "relabel" else None)
    assert reason == f"{new} has probability 0.980, the given {old} 0.020"
    decide(con)
    con.execute(f"INSERT INTO log FROM {call}")
    con.execute("CREATE TABLE log_of_types AS FROM " + call)
    con.execute("CREATE TABLE t AS SELECT id, label FROM issues")
    for log in ("log", "log_of_types"):
        applied = con.execute(
            f"SELECT label FROM apply_corrections(t, {log}, id, label) WHERE id = 1"
        )
        assert [str(column[1]) for column in applied.description or []] == [kind]
        assert applied.fetchall() == ([(values[1],)] if action == "relabel" else [])


def test_it_can_be_inserted_by_name_and_reviewed(con: duckdb.DuckDBPyConnection) -> None:
    issues(con, [*strong(), *SUSPECTS])
    decide(con)
    con.execute("INSERT INTO log BY NAME FROM auto_corrections(issues, id, label)")
    con.execute(
        "INSERT INTO log SELECT key, 'keep', old_label, NULL, 'ann', 'checked', "
        "decided_at + INTERVAL 1 DAY FROM log WHERE key = '3'"
    )
    con.execute("CREATE TABLE t AS SELECT id, label FROM issues")
    found = con.execute("SELECT key, new_label FROM corrections_diff(t, log, id, label)").fetchall()
    assert found == [(2, "a"), (5, "b")]


def test_the_whole_way_from_probabilities(con: duckdb.DuckDBPyConnection) -> None:
    issues(con, [*strong(), (1, "a", {"a": 0.02, "b": 0.98}, False)])
    con.execute("CREATE TABLE t AS SELECT id, label, class_probs AS probs FROM issues")
    con.execute("CREATE TABLE found AS FROM label_issues(t, probs, label)")
    con.execute("CREATE TABLE log AS FROM auto_corrections(found, id, label)")
    applied = con.execute("SELECT label FROM apply_corrections(t, log, id, label) WHERE id = 1")
    assert applied.fetchall() == [("b",)]
