"""Labels of every type against predictions, keys of probabilities and decisions of every other."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product

import duckdb
import pytest

from tests.functions.label_types import (
    COLUMNS,
    Column,
    decided,
    evaluated,
    judged,
    keyed,
    looked_up,
    of_three,
)

Cell = Callable[[duckdb.DuckDBPyConnection, Column, Column], object]

# What a cell gives where the two columns hold the same labels, and what it may give else.
CASES: dict[str, tuple[Cell, object, tuple[object, ...]]] = {
    "evaluate": (evaluated, (1.0, 0.0), (("refused", "refused"),)),
    "label_quality": (looked_up, 0.9, ("refused", None)),
    "label_issues": (judged, "40 2 0", ("refused",)),
    "decisions": (decided, True, ("refused",)),
    "keys": (keyed, "new", ("refused",)),
}
# One of each kind, for every run; twenty are among the slow tests, and all in benchmarks.
FEW = ("INTEGER", "DECIMAL(3,1)", "DOUBLE", "VARCHAR '1'", "BOOLEAN", "DATE", "VARCHAR in NFD")
LIKE_ANOTHER = (
    "TINYINT",
    "UBIGINT",
    "DECIMAL(9,4)",
    "TIMESTAMP_S",
    "TIMESTAMP_NS",
    "VARCHAR with time",
    "VARCHAR of TIME",
    "BOOLEAN as answers",
)


def _wrong(
    con: duckdb.DuckDBPyConnection, name: str, columns: list[Column]
) -> list[tuple[str, str, object]]:
    compute, right, allowed = CASES[name]
    found = []
    for a in columns:
        for b in columns:
            got = compute(con, a, b)
            # A text that one type reads as its value is that value: VARCHAR 'yes' and BOOLEAN.
            if (got != right and got not in allowed) or (a == b and got != right):
                found.append((a.name, b.name, got))
    return found


@pytest.mark.parametrize("name", CASES)
def test_a_label_of_another_type_is_right_or_refused(
    con: duckdb.DuckDBPyConnection, name: str
) -> None:
    columns = [column for column in COLUMNS if column.name in FEW]
    assert len(columns) == len(FEW)
    assert _wrong(con, name, columns) == []


@pytest.mark.slow
@pytest.mark.parametrize("name", CASES)
def test_each_pair_of_types_is_right_or_refused(con: duckdb.DuckDBPyConnection, name: str) -> None:
    columns = [column for column in COLUMNS if column.name not in LIKE_ANOTHER]
    assert len(columns) == 20
    assert _wrong(con, name, columns) == []


@pytest.mark.parametrize(
    ("actual", "predicted"),
    [
        ("1.0::DOUBLE", "'1.0'"),
        ("1", "'1.0'"),
        ("true", "1"),
        ("1", "true"),
        ("'1'", "true"),
        ("1e16::DOUBLE", "10000000000000000::BIGINT"),
        ("1.50::DECIMAL(4,2)", "1.5::DECIMAL(3,1)"),
        ("true", "'yes'"),
        ("DATE '2024-01-01'", "TIMESTAMP '2024-01-01'"),
        ("'\"a\"'::JSON", "'a'"),
    ],
)
def test_what_sql_calls_equal_is_right(
    con: duckdb.DuckDBPyConnection, actual: str, predicted: str
) -> None:
    con.execute(f"CREATE TABLE t AS SELECT {actual} AS y, {predicted} AS p FROM range(3)")
    assert con.execute("SELECT accuracy FROM evaluate(t, y, p)").fetchall() == [(1.0,)]
    assert con.execute("SELECT accuracy_after FROM compare_models(t, y, p, p)").fetchall() == [(1,)]
    assert con.execute("SELECT count(*) FROM class_report(t, y, p)").fetchall() == [(1,)]
    assert con.execute("SELECT accuracy FROM evaluate_noisy(t, y, p, y)").fetchall() == [(1.0,)]


def _changed_by_a_third(con: duckdb.DuckDBPyConnection, columns: list[Column]) -> list[str]:
    found = []
    for a, b, c in product(columns, repeat=3):
        together, apart = of_three(con, a, b, c)
        if together != apart:
            found.append(f"{a.name}, {b.name}, {c.name}: {together}, apart {apart}")
    return found


def test_a_third_column_changes_nothing_of_two(con: duckdb.DuckDBPyConnection) -> None:
    names = ("INTEGER", "VARCHAR '1'", "BOOLEAN", "VARCHAR yes/no")
    columns = [column for column in COLUMNS if column.name in names]
    assert len(columns) == 4
    assert _changed_by_a_third(con, columns) == []


@pytest.mark.slow
def test_a_third_column_of_any_type_changes_nothing(con: duckdb.DuckDBPyConnection) -> None:
    names = ("DOUBLE", "DECIMAL(3,1)", "JSON", "BOOLEAN", "DATE", "VARCHAR yes/no", "UUID")
    assert _changed_by_a_third(con, [each for each in COLUMNS if each.name in names]) == []


def test_a_few_odd_values_are_not_read_as_all_are(con: duckdb.DuckDBPyConnection) -> None:
    con.execute(
        "CREATE TABLE t AS SELECT i % 2 = 0 AS y, if(i % 2 = 0, if(i < 4, '1', 'yes'), 'no') AS p, "
        "if(i % 2 = 0, 1, 0) AS q FROM range(100) r(i)"
    )
    assert con.execute(
        "SELECT accuracy_before, accuracy_after FROM compare_models(t, y, p, q)"
    ).fetchall() == [(1, 1)]
    assert con.execute(
        "SELECT accuracy_given, accuracy, label_accuracy FROM evaluate_noisy(t, y, p, q)"
    ).fetchall() == [(1, 1, 1)]


@pytest.mark.parametrize("call", ["evaluate(t, y, p)", "compare_models(t, y, y, p)"])
def test_columns_that_share_no_value_are_refused(con: duckdb.DuckDBPyConnection, call: str) -> None:
    con.execute(
        "CREATE TABLE t AS SELECT ['a', 'b'][i%2+1] AS y, ['x', 'z'][i%2+1] AS p FROM range(9) r(i)"
    )
    with pytest.raises(duckdb.Error, match=r"share no value.*'a', 'b'.*'x', 'z'"):
        con.execute(f"FROM {call}").fetchall()


@pytest.mark.parametrize(
    ("label", "said"),
    [
        ("[[1], [2]][i%2+1]", r"label is a list \(INTEGER\[\]\).*label\[1\]"),
        ("{a: i % 2}", r"label is of type STRUCT\(a .*label\.field"),
        ("MAP {'a': i % 2}", r"label is of type MAP"),
        ("if(i % 2 = 0, INTERVAL 1 DAY, INTERVAL 24 HOUR)", "label is an INTERVAL"),
        ("('[' || i % 2 || ']')::JSON", "no single value"),
    ],
)
@pytest.mark.parametrize(
    "call",
    [
        "label_issues(t, e, label)",
        "label_health(t, e, label)",
        "audit(t, e, label)",
        "review_queue(t, e, label, id)",
        "fine_tune('m', t, e, label)",
        "consensus(t, id, who, label)",
        "evaluate(t, label, label)",
    ],
)
def test_labels_that_are_not_understood_are_refused(
    con: duckdb.DuckDBPyConnection, label: str, said: str, call: str
) -> None:
    con.execute(
        "CREATE TABLE t AS SELECT i AS id, 'w' || i % 3 AS who, [i % 2, i % 7, 1]::FLOAT[] AS e, "
        f"{label} AS label FROM range(60) r(i)"
    )
    if call.startswith("evaluate"):
        said = said.replace("label", "actual") if "JSON" not in label else "."
    with pytest.raises(duckdb.Error, match=said) as caught:
        con.execute(f"FROM {call}").fetchall()
    assert "Please report" not in str(caught.value)


@pytest.mark.parametrize("label", ["(i * 0.37)::DOUBLE", "(i * 0.37)::DECIMAL(9,2)"])
@pytest.mark.parametrize(
    ("call", "said"),
    [
        ("confusion_matrix(t, label, label)", r"labels of this kind \(regression\) have none"),
        ("evaluate_noisy(t, label, label, label)", r"\(regression\) are more or less so"),
        ("explain_issues(issues, e, label, id)", "is about classes, and these labels are numbers"),
    ],
)
def test_numbers_are_refused_where_they_would_be_classes(
    con: duckdb.DuckDBPyConnection, label: str, call: str, said: str
) -> None:
    con.execute(
        "CREATE TABLE t AS SELECT i AS id, 'w' || i % 3 AS who, [i % 2, i % 7, 1]::FLOAT[] AS e, "
        f"{label} AS label FROM range(60) r(i)"
    )
    con.execute("CREATE TABLE issues AS FROM label_issues(t, e, label)")
    with pytest.raises(duckdb.Error, match=said):
        con.execute(f"FROM {call}").fetchall()


@pytest.mark.parametrize(
    ("label", "new"),
    [
        ("4::INTEGER", "'4.5'"),
        ("4::INTEGER", "4.5::DOUBLE"),
        ("DATE '2024-01-01'", "'2024-05-05 23:59:00'"),
        ("1.5::DECIMAL(3,1)", "'1.25'"),
        ("TIMESTAMP_S '2024-01-01 00:00:00'", "'2024-01-01 00:00:00.5'"),
    ],
)
def test_a_decision_that_would_be_rounded_is_an_error(
    con: duckdb.DuckDBPyConnection, label: str, new: str
) -> None:
    con.execute(f"CREATE TABLE t AS SELECT 3 AS id, {label} AS y")
    con.execute(
        "CREATE TABLE d AS SELECT '3' AS key, 'relabel' AS action, "
        f"{label}::VARCHAR AS old_label, {new} AS new_label, 'ann' AS decided_by, "
        "NULL AS reason, TIMESTAMP '2024-01-01' AS decided_at"
    )
    for call in ("apply_corrections", "corrections_diff"):
        with pytest.raises(duckdb.Error, match=r"would be rounded.*3 \("):
            con.execute(f"FROM {call}(t, d, id, y)").fetchall()


@pytest.mark.parametrize("kind", ["parquet", "csv", "json"])
def test_probabilities_come_back_from_a_file(
    sample: duckdb.DuckDBPyConnection, tmp_path: object, kind: str
) -> None:
    sample.execute(
        "CREATE TABLE made AS SELECT id, label, map_from_entries([{k: l, "
        "v: if(l = true_label, 0.85, 0.05)::DOUBLE} "
        "FOR l IN ['account', 'billing', 'delivery', 'product']]) AS p FROM requests"
    )
    sample.execute("CREATE TABLE issues AS FROM label_issues(made, p, label)")
    queries = (
        "SELECT judged, round(agreement, 9), can_judge FROM model_strength({}, label)",
        "SELECT count(*), count(DISTINCT new_label) FROM auto_corrections({}, id, label)",
        "SELECT round(sum(label_quality(label, class_probs)), 6), count(suggest_label(label, "
        "class_probs)) FROM {}",
    )
    file = f"{tmp_path}/issues.{kind}"
    sample.execute(f"COPY issues TO '{file}'")
    sample.execute(f"CREATE TABLE back AS FROM '{file}'")
    for query in queries:
        there = sample.execute(query.format("issues")).fetchall()
        assert sample.execute(query.format("back")).fetchall() == there


def test_what_is_no_probabilities_says_so(con: duckdb.DuckDBPyConnection) -> None:
    with pytest.raises(duckdb.Error, match=r"VARCHAR and cannot be read as class probabilities"):
        con.execute("SELECT label_quality('a', 'a text')").fetchall()


def test_labels_without_a_type_are_no_labels(con: duckdb.DuckDBPyConnection) -> None:
    con.execute("CREATE TABLE t AS SELECT i AS id, 'text ' || i AS text FROM range(9) r(i)")
    with pytest.raises(duckdb.Error, match="no row can be judged: the label is NULL"):
        con.execute(
            "WITH u AS (SELECT *, NULL AS label FROM t) FROM label_issues(u, text, label)"
        ).fetchall()


def test_maps_of_too_many_classes_are_refused_before_they_are_read(
    con: duckdb.DuckDBPyConnection,
) -> None:
    con.execute(
        "CREATE TABLE t AS SELECT 'c' || i AS label, MAP {'c' || i: 0.9, 'c' || (i + 1): 0.1} AS p "
        "FROM range(3000) r(i)"
    )
    with pytest.raises(duckdb.Error, match="at most 1,000 can be learned"):
        con.execute("FROM label_issues(t, p, label)").fetchall()


@pytest.mark.parametrize(
    ("x", "said"),
    [
        ("['a', 'b']", r"VARCHAR\[\].*array_to_string"),
        ("[[i, 1]::FLOAT[]]", r"FLOAT\[\]\[\].*flatten"),
        ("[true, false]", r"BOOLEAN\[\]"),
        ("'clip' || i || '.wav'", "path of audio"),
        ("'scan' || i || '.PDF'", "path of documents"),
        ("('RIFF' || i || '...WAVEfmt ' || i)::BLOB", r"it is audio \(WAV\)"),
        ("('%PDF-1.7 ' || i)::BLOB", r"it is a document \(PDF\)"),
    ],
)
@pytest.mark.parametrize(
    "call", ["label_issues(t, x, label)", "audit(t, x, label)", "outliers(t, x)"]
)
def test_rows_of_kinds_that_are_not_understood_are_refused(
    con: duckdb.DuckDBPyConnection, x: str, said: str, call: str
) -> None:
    con.execute(
        f"CREATE TABLE t AS SELECT {x} AS x, ['a', 'b'][i%2+1] AS label FROM range(12) r(i)"
    )
    if call.startswith("outliers") and "BLOB" in x:
        said = "."
    with pytest.raises(duckdb.Error, match=said) as caught:
        con.execute(f"FROM {call}").fetchall()
    assert "Please report" not in str(caught.value)


def test_an_enum_is_text(con: duckdb.DuckDBPyConnection) -> None:
    con.execute("CREATE TYPE word AS ENUM (SELECT 'text ' || i FROM range(40) r(i))")
    con.execute(
        "CREATE TABLE t AS SELECT ('text ' || i)::word AS x, ['a', 'b'][i%2+1] AS label "
        "FROM range(40) r(i)"
    )
    assert con.execute("SELECT count(label_quality) FROM label_issues(t, x, label)").fetchall() == [
        (40,)
    ]
    assert con.execute(
        "SELECT count(llm_classify(x, ['a', 'b'], model := 'fake:')) FROM t"
    ).fetchall() == [(40,)]


@pytest.mark.parametrize("number", ["1e39", "-1e300", "1e19"])
def test_a_number_too_large_to_learn_from_is_a_reason_of_its_row(
    con: duckdb.DuckDBPyConnection, number: str
) -> None:
    con.execute(
        "CREATE TABLE t AS SELECT i AS id, [(i%2) + i*0.01, 1.0, "
        f"if(i = 3, {number}, 0.5)]::DOUBLE[] AS e, ['a', 'b'][i%2+1] AS label FROM range(40) r(i)"
    )
    assert con.execute(
        "SELECT id, not_judged FROM label_issues(t, e, label) WHERE not_judged IS NOT NULL"
    ).fetchall() == [(3, "the embedding holds a number beyond 1e+18")]
    assert con.execute("SELECT rows FROM fine_tune('m', t, e, label)").fetchall() == [(39,)]


@pytest.mark.parametrize("weight", ["0", "1e-320::DOUBLE"])
def test_weights_that_are_nothing_are_refused(con: duckdb.DuckDBPyConnection, weight: str) -> None:
    con.execute(
        f"CREATE TABLE t AS SELECT [i%2, 1]::FLOAT[] AS e, 'c' || i%2 AS label, {weight} AS w "
        "FROM range(20) r(i)"
    )
    with pytest.raises(duckdb.Error, match="weights is 0, or too small"):
        con.execute("FROM fine_tune('m', t, e, label, weights := w)").fetchall()
