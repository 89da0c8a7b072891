from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest

import sqlfuncs
from sqlfuncs.cli.run import rendered
from sqlfuncs.engines.duckdb.names import identifier, qualified, split_qualified
from sqlfuncs.engines.duckdb.statements import run
from sqlfuncs.errors import SqlfuncsError
from sqlfuncs.queries import files

Results = list[list[dict[str, Any]]]
TABLE = '"we""ird.tab 🎈"'
KEY, TEXT, LABEL = 'k"ey', "te xt\n📝", "la'bel; --"
REQUIRED = {"text": "x.csv", "list": "one,two"}


def _run(con: duckdb.DuckDBPyConnection, query: str, **given: object) -> Results:
    sql = rendered(files.find(query), {name: str(value) for name, value in given.items()})
    return [
        [dict(zip(result.columns, row, strict=True)) for row in result.rows]
        for result in run(con, sql)
        if result.columns
    ]


def _rows(con: duckdb.DuckDBPyConnection, table: str) -> list[tuple[Any, ...]]:
    return con.execute(f"FROM {qualified(split_qualified(table))} ORDER BY ALL").fetchall()


@pytest.mark.parametrize("name", [file.name for file in files.shipped()])
def test_every_file_renders_and_parses(con: duckdb.DuckDBPyConnection, name: str) -> None:
    file = files.find(name)
    given = {p.name: REQUIRED[p.type] for p in file.parameters if p.default is None}
    sql = rendered(file, given)
    assert "{{" not in sql
    assert len(con.extract_statements(sql)) >= 1
    for parameter in file.parameters:
        if parameter.type in ("table", "column", "text"):
            plain = rendered(file, {**given, parameter.name: "plain"})
            odd = rendered(file, {**given, parameter.name: "o'd\"d\n🎈; --"})
            assert len(con.extract_statements(odd)) == len(con.extract_statements(plain))


@pytest.fixture
def odd(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A small table with odd names, some of whose labels are wrong; answers; a test table."""
    k, t, y = identifier(KEY), identifier(TEXT), identifier(LABEL)
    con.execute(f"""
        CREATE TABLE made AS
        SELECT 'row ' || i AS {k},
            CASE i % 2
                WHEN 0 THEN 'where is my parcel, the delivery is late, number ' || (i % 11)
                ELSE 'the invoice bills me twice, money back please, number ' || (i % 13)
            END AS {t},
            CASE WHEN (i % 2 = 0) <> (i % 12 = 5) THEN 'de"livery' ELSE 'it''s billing' END
                AS {y}
        FROM range(120) r(i)
    """)
    con.execute(f"COPY made TO '{tmp_path}/it''s \"odd\" 🎈.csv'")
    con.execute(f"""
        CREATE TABLE "an.swers" AS SELECT * REPLACE (
            CASE WHEN {t} LIKE 'where%' THEN 'de"livery' ELSE 'it''s billing' END AS {y})
        FROM made
    """)
    con.execute('CREATE TABLE "te""st" AS FROM "an.swers" LIMIT 40')
    yield con


def _loop(con: duckdb.DuckDBPyConnection, folder: Path) -> dict[str, Results]:
    columns = {"text": TEXT, "label": LABEL}
    keyed = {"key": KEY, "label": LABEL}
    shown = {
        "load": _run(con, "load", file=folder / 'it\'s "odd" 🎈.csv', table=TABLE),
        "detect": _run(con, "detect", table=TABLE, into='"iss.ues"', **columns),
        "review_queue": _run(con, "review_queue", issues='"iss.ues"', text=TEXT, budget=5, **keyed),
        "correct": _run(
            con,
            "correct",
            table=TABLE,
            issues='"iss.ues"',
            log='"l o""g"',
            into='"corr ected"',
            **keyed,
        ),
        "verify": _run(
            con,
            "verify",
            table=TABLE,
            issues='"iss.ues"',
            answers='"an.swers"',
            answer=LABEL,
            reviewer="Ann O'Neill; --",
            log='"ver.ified"',
            budget=3,
            **keyed,
        ),
        "prune": _run(con, "prune", issues='"iss.ues"', into='"pru;ned"'),
        "take_review": _run(
            con,
            "take_review",
            table=TABLE,
            answers='"an.swers"',
            answer=LABEL,
            reviewer="Ann O'Neill; --",
            log='"re.viewed"',
            into="reviewed",
            **keyed,
        ),
    }
    for name, table in (("gi'ven", TABLE), ('re"viewed 🎈', "reviewed")):
        shown[f"fine_tune {name}"] = _run(con, "fine_tune", table=table, name=name, **columns)
    shown["evaluate"] = _run(
        con, "evaluate", table='"te""st"', model='re"viewed 🎈', into='"pre.dicted"', **columns
    )
    shown["gain"] = _run(
        con, "gain", table='"te""st"', models="gi'ven, re\"viewed 🎈", into='"ga in"', **columns
    )
    return shown


def test_the_whole_loop_with_odd_names_and_again(
    odd: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    shown = _loop(odd, tmp_path)
    assert [row["column_name"] for row in shown["load"][0]] == [KEY, TEXT, LABEL]
    flagged = {row[LABEL]: row["flagged"] for row in shown["detect"][0]}
    assert sum(flagged.values()) >= 5
    assert [next(iter(row)) for row in shown["review_queue"][0]] == [KEY] * 5
    assert shown["correct"][0][0]["can_judge"]
    # With few rows it depends on the model whether any is changed; none is changed for the worse.
    assert odd.execute('SELECT DISTINCT old_label, new_label FROM "l o""g"').fetchall() in (
        [],
        [('de"livery', "it's billing")],
    )
    assert shown["take_review"][0] == [
        {"old_label": 'de"livery', "new_label": "it's billing", "changes": 10}
    ]
    assert shown["prune"][0][0]["rows_after"] == 120 - sum(flagged.values())
    assert shown["fine_tune gi'ven"][0][0]["version"] == 1
    assert shown["evaluate"][0][0]["n"] == 40
    assert len(shown["gain"]) == 2
    assert [row["model"] for row in shown["gain"][0]] == ["gi'ven", 're"viewed 🎈']
    answers = {row[0]: row[2] for row in _rows(odd, '"an.swers"')}
    assert {row[0]: row[2] for row in _rows(odd, "reviewed")} == answers

    logs = _rows(odd, '"l o""g"'), _rows(odd, '"re.viewed"')
    tables = [_rows(odd, t) for t in (TABLE, '"corr ected"', "reviewed", '"pru;ned"', '"ga in"')]
    again = _loop(odd, tmp_path)
    assert (_rows(odd, '"l o""g"'), _rows(odd, '"re.viewed"')) == logs
    assert [
        _rows(odd, t) for t in (TABLE, '"corr ected"', "reviewed", '"pru;ned"', '"ga in"')
    ] == tables
    assert again == shown
    assert odd.execute("SELECT count(*) FROM models()").fetchall() == [(2,)]


def _small(con: duckdb.DuckDBPyConnection) -> None:
    con.execute("""
        CREATE TABLE train AS
        SELECT i AS id,
            CASE i % 2 WHEN 0 THEN 'where is my parcel ' ELSE 'the invoice is wrong ' END
                || (i % 9) AS text,
            CASE WHEN (i % 2 = 0) <> (i % 15 = 4) THEN 'delivery' ELSE 'billing' END AS label
        FROM range(120) r(i)
    """)


def test_a_persons_decision_is_kept_and_wins(con: duckdb.DuckDBPyConnection) -> None:
    _small(con)
    _run(con, "detect")
    _run(con, "correct")
    (key, old) = con.execute("SELECT key, old_label FROM decisions LIMIT 1").fetchall()[0]
    con.execute(
        "INSERT INTO decisions VALUES (?, 'keep', ?, NULL, 'ann', 'it is right', "
        "(now() AT TIME ZONE 'UTC') + INTERVAL 1 SECOND)",
        [key, old],
    )
    before = _rows(con, "decisions")
    _run(con, "correct")
    assert _rows(con, "decisions") == before
    assert con.execute("SELECT label FROM corrected WHERE id = ?", [int(key)]).fetchall() == [
        (old,)
    ]
    queue = _run(con, "review_queue", budget=100, log="decisions")[0]
    assert int(key) not in {row["id"] for row in queue}
    assert len(queue) > 0


@pytest.mark.parametrize(
    "name", ["input", "issues", "log", "predicted", "trained", "flags", "e", "c", "t", "a", "l"]
)
def test_tables_called_like_the_names_inside(con: duckdb.DuckDBPyConnection, name: str) -> None:
    _small(con)
    con.execute("CREATE TABLE answers AS SELECT id, 'delivery' AS label FROM train")
    if name != "issues":
        con.execute(f"CREATE TABLE {name} AS FROM train")
        _run(con, "detect", table=name)
        _run(con, "llm_audit", table=name, model="fake:")
        _run(con, "correct", table=name)
        _run(con, "take_review", table=name)
        _run(con, "take_review", answers=name)
        _run(con, "fine_tune", table=name, name="m")
        _run(con, "fine_tune", table=name, name="n", seed=1)
        _run(con, "evaluate", table=name, model="m")
        _run(con, "gain", table=name, models="m,n")
    _run(con, "detect", into=name)
    _run(con, "review_queue", issues=name)
    _run(con, "correct", issues=name)
    _run(con, "prune", issues=name)


def test_two_auditors_with_odd_names(odd: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    text, label = identifier(TEXT), identifier(LABEL)
    script = tmp_path / "a 'script'.json"
    answers = odd.execute(f'SELECT DISTINCT {text}, {label} FROM "an.swers"').fetchall()
    script.write_text(json.dumps({"answers": dict(answers)}))
    given = {"table": "made", "text": TEXT, "label": LABEL, "into": '"a ud"'}
    for _ in range(2):
        (shown,) = _run(odd, "llm_audit", model=f"fake:{script}", **given)
    assert [row["auditor"] for row in shown] == ["language model", "trained detector"]
    assert shown[0]["flagged"] == 10
    assert shown[0]["can_judge"]
    assert len(_rows(odd, '"a ud"')) == 120


def test_a_gain_of_models_called_like_the_names_inside(con: duckdb.DuckDBPyConnection) -> None:
    _small(con)
    for seed, name in enumerate(("actual", "predicted", "model", "label")):
        _run(con, "fine_tune", name=name, seed=seed)
    shown = _run(con, "gain", table="train", models="predicted,model,label,actual")
    assert [row["model"] for row in shown[0]] == ["predicted", "model", "label", "actual"]


def _answer(con: duckdb.DuckDBPyConnection, label: str) -> str:
    con.execute("CREATE OR REPLACE TABLE answers AS FROM train")
    con.execute("UPDATE answers SET label = ? WHERE id = 7", [label])
    _run(con, "take_review")
    ((now,),) = con.execute("SELECT label FROM reviewed WHERE id = 7").fetchall()
    return str(now)


def test_a_reviewer_may_change_an_answer_and_change_it_back(
    con: duckdb.DuckDBPyConnection,
) -> None:
    _small(con)
    assert _answer(con, "product") == "product"
    assert _answer(con, "delivery") == "delivery"
    assert _answer(con, "product") == "product"


def test_a_reviewer_may_take_an_answer_back(con: duckdb.DuckDBPyConnection) -> None:
    _small(con)
    ((given,),) = con.execute("SELECT label FROM train WHERE id = 7").fetchall()
    assert _answer(con, "product") == "product"
    assert _answer(con, given) == given


def test_a_file_in_which_nothing_is_wrong(con: duckdb.DuckDBPyConnection) -> None:
    _small(con)
    con.execute("UPDATE train SET label = CASE id % 2 WHEN 0 THEN 'delivery' ELSE 'billing' END")
    assert sum(row["flagged"] for row in _run(con, "detect")[0]) == 0
    assert _run(con, "review_queue") == [[]]
    assert _run(con, "correct")[1] == []
    assert _run(con, "prune")[0] == [{"rows_before": 120, "rows_after": 120}]


def test_rows_can_be_numbered_and_kinds_of_files_loaded(
    con: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    _small(con)
    for kind in ("csv", "parquet", "json"):
        con.execute(f"COPY (SELECT text, label FROM train) TO '{tmp_path}/t.{kind}'")
        _run(con, "load", file=tmp_path / f"t.{kind}", table="loaded", number_rows='i"d')
        assert con.execute('SELECT min("i""d"), max("i""d") FROM loaded').fetchall() == [(1, 120)]


def test_the_engine_is_a_plain_connection(tmp_path: Path) -> None:
    with sqlfuncs.connect(tmp_path / "a.duckdb") as con:
        _small(con)
        _run(con, "detect")
    with duckdb.connect(str(tmp_path / "a.duckdb")) as plain:
        assert plain.execute("SELECT count(*) FROM issues").fetchall() == [(120,)]


def test_a_failed_correction_leaves_the_log_alone(con: duckdb.DuckDBPyConnection) -> None:
    _small(con)
    _run(con, "detect")
    con.execute("ALTER TABLE issues ADD COLUMN wrong INTEGER DEFAULT 7")
    con.execute("ALTER TABLE train ADD COLUMN wrong INTEGER DEFAULT 7")
    with pytest.raises(SqlfuncsError, match="keys that stand in the table more than once"):
        _run(con, "correct", key="wrong")
    assert _rows(con, "decisions") == []
    assert _run(con, "correct")[1] != []


def test_proposals_that_are_no_longer_made_are_withdrawn(con: duckdb.DuckDBPyConnection) -> None:
    _small(con)
    _run(con, "detect")
    assert _run(con, "correct")[1] != []
    assert _run(con, "correct", min_confidence=1)[1] == []
    log = _rows(con, "decisions")
    assert {row[5] for row in log if row[1] == "keep"} == {"no longer proposed"}
    assert _run(con, "correct", action="exclude")[1][0]["action"] == "exclude"


@pytest.mark.parametrize(
    ("query", "given", "message"),
    [
        ("correct", {"into": "train"}, "another table"),
        ("detect", {"into": "train"}, "another table"),
        ("gain", {"models": "one"}, "two models or more"),
    ],
)
def test_parameters_that_do_not_go_together(
    con: duckdb.DuckDBPyConnection, query: str, given: dict[str, str], message: str
) -> None:
    _small(con)
    with pytest.raises(SqlfuncsError, match=message):
        _run(con, query, **given)


def test_a_key_column_that_is_there_already(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    con.execute(f"COPY (SELECT 1 AS id, 'a' AS text) TO '{tmp_path}/t.csv'")
    with pytest.raises(SqlfuncsError, match="has a column id already"):
        _run(con, "load", file=tmp_path / "t.csv", table="t", number_rows="id")


def test_new_rows_are_judged_by_what_was_kept(odd: duckdb.DuckDBPyConnection) -> None:
    columns = {"text": TEXT, "label": LABEL}
    _run(odd, "detect", table="made", judge='it\'s "mine"', **columns)
    shown = _run(odd, "judge", table='te"st', judge='it\'s "mine"', **columns)
    assert sum(row["rows"] for row in shown[-1]) == 40
    assert [row["flagged"] for row in shown[-1]] == [0, 0]  # answers are right
    _run(odd, "judge", table="made", judge='it\'s "mine"@1', into="again", **columns)
    flagged = f"SELECT list_sort(list({identifier(KEY)})) FROM {{}} WHERE is_label_issue"
    assert _rows_of(odd, flagged.format("again")) == _rows_of(odd, flagged.format("issues"))
    with pytest.raises((SqlfuncsError, duckdb.Error), match="there is no judge 'nobody'"):
        _run(odd, "judge", table="made", judge="nobody", **columns)
    with pytest.raises(
        (SqlfuncsError, duckdb.Error), match='already has the column "label_quality"'
    ):
        _run(odd, "judge", table="issues", judge='it\'s "mine"', **columns)
    with pytest.raises(SqlfuncsError, match="into has to name another table"):
        _run(odd, "judge", table="made", judge='it\'s "mine"', into="made", **columns)


def _rows_of(con: duckdb.DuckDBPyConnection, query: str) -> list[tuple[Any, ...]]:
    return con.execute(query).fetchall()
