"""Every kind of row, and every kind of label, with every function: each cell works or refuses."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest

import sqlfuncs
from sqlfuncs.learning.rows import registry
from tests.functions.pictures import shapes

ROWS = 24
# Of row number i and class c of 0 or 1; what no kind of row is made of is below.
KINDS = {
    "text": "CASE c WHEN 0 THEN 'the parcel is late, ' ELSE 'refund my money, ' END || i",
    "embedding": "[c + i % 3 / 10, 1 - c, i % 7]::FLOAT[]",
    "embedding of fixed size": "[c + i % 3 / 10, 1 - c, i % 7]::DOUBLE[3]",
    "fields": "{amount: c * 10 + i, kind: CASE c WHEN 0 THEN 'a' ELSE 'b' END}",
    "fields and a text": "{amount: c * 10 + i, body: ['late parcel ', 'refund me '][c + 1] || i}",
    "probabilities": "MAP {'0': 0.9 - 0.8 * c, '1': 0.1 + 0.8 * c}",
    "image": "image",
    "path of an image": "path",
}
NO_ROWS = {
    "INTEGER": "i",
    "BOOLEAN": "c = 1",
    "DATE": "DATE '2024-01-01' + i::INTEGER",
    "VARCHAR[]": "['a', i::VARCHAR]",
    "STRUCT[]": "[{a: i}]",
    "BLOB of no image": "('\\x00\\x01' || i)::BLOB",
    "MAP of text": "MAP {'0': 'a', '1': 'b'}",
}
_VOTES = "(FROM t CROSS JOIN (VALUES ('ann'), ('bob')) v(annotator))"
CALLS = {
    "label_issues": "FROM label_issues(t, x, label)",
    "audit": "FROM audit(t, x, label)",
    "label_health": "FROM label_health(t, x, label)",
    "review_queue": "FROM review_queue(t, x, label, i)",
    "outliers": "FROM outliers(t, x)",
    "near_duplicates": "FROM near_duplicates(t, x)",
    "fine_tune": "FROM fine_tune('m', t, x, label)",
    "consensus": f"WITH votes AS {_VOTES} FROM consensus(votes, i, annotator, label, x := x)",
    "annotator_quality": f"WITH votes AS {_VOTES} "
    "FROM annotator_quality(votes, i, annotator, label, x := x)",
    "disagreement": f"WITH votes AS {_VOTES} FROM disagreement(votes, i, annotator, label, x)",
    "next_to_label": f"WITH votes AS {_VOTES} FROM next_to_label(votes, i, annotator, label, x)",
}
LEARNING = ("label_issues", "audit", "label_health", "review_queue")
COMPARING = ("outliers", "near_duplicates")
OF_VOTES = ("consensus", "annotator_quality", "disagreement", "next_to_label")


@pytest.fixture(scope="module")
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    """One for all, whose table `t` each test replaces."""
    with sqlfuncs.connect() as connection:
        yield connection


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> pa.Table:
    folder = tmp_path_factory.mktemp("pictures")
    images, _ = shapes(ROWS)
    paths = [folder / f"{at}.png" for at in range(ROWS)]
    for path, image in zip(paths, images, strict=True):
        path.write_bytes(image)
    return pa.table({"i": range(ROWS), "image": images, "path": [str(path) for path in paths]})


def _table(con: duckdb.DuckDBPyConnection, x: str, label: str, pictures: pa.Table) -> None:
    con.register("pictures", pictures)
    con.execute(
        f"CREATE OR REPLACE TABLE t AS SELECT i, {x} AS x, {label} AS label "
        f"FROM range({ROWS}) r(i) JOIN pictures USING (i), LATERAL (SELECT i % 2) AS l(c)"
    )


def _works(con: duckdb.DuckDBPyConnection, call: str) -> str:
    """'' where it works, else what it says."""
    try:
        assert con.execute(call).fetchall()
    except duckdb.Error as error:
        message = str(error).partition("\n\nAt:\n")[0]
        assert "in a way it should not" not in message, message
        return message
    return ""


def _is_expected_to_work(function: str, x: pa.Array) -> bool:
    kind = registry.kind_of(x)
    if function in COMPARING:
        return kind.is_compared
    if function in OF_VOTES:
        return kind.can_be_trained_on or not kind.needs_model
    return function in LEARNING or kind.can_be_trained_on


@pytest.mark.parametrize("function", CALLS)
@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_of_row(
    con: duckdb.DuckDBPyConnection, pictures: pa.Table, home: Path, kind: str, function: str
) -> None:
    _table(con, KINDS[kind], "c::VARCHAR", pictures)
    x = con.sql("SELECT x FROM t").to_arrow_table().column("x").combine_chunks()
    said = _works(con, CALLS[function])
    assert (said == "") == _is_expected_to_work(function, x), said
    called = str(registry.kind_of(x).called).removeprefix("a map of ")
    assert not said or called in said


@pytest.mark.parametrize("function", CALLS)
@pytest.mark.parametrize("kind", NO_ROWS)
def test_what_is_no_kind_of_row(
    con: duckdb.DuckDBPyConnection, pictures: pa.Table, home: Path, kind: str, function: str
) -> None:
    _table(con, NO_ROWS[kind], "c::VARCHAR", pictures)
    assert _works(con, CALLS[function]), "works"


LABELS = {
    "VARCHAR": "if(c = 0, 'yes', 'no')",
    "ENUM": "if(c = 0, 'yes', 'no')::ENUM('yes', 'no')",
    "BOOLEAN": "c = 1",
    "INTEGER": "c::INTEGER",
    "HUGEINT": "c::HUGEINT",
    "DATE": "DATE '2024-01-01' + c::INTEGER",
    "TIMESTAMP WITH TIME ZONE": "TIMESTAMPTZ '2024-01-01 00:00:00Z' + to_days(c::INTEGER)",
    "UUID": "if(c = 0, uuid_nil, other)",
    "DOUBLE of few values": "c / 2",
    "DECIMAL of few values": "(c / 2)::DECIMAL(4, 2)",
    "JSON": "to_json(if(c = 0, 'yes', 'no'))",
}
NO_CLASSES = {
    "VARCHAR[]": "[if(c = 0, 'yes', 'no')]",
    "DOUBLE of many values": "i + .5",
    "DECIMAL of many values": "(i + .5)::DECIMAL(4, 2)",
}
TAKES_NUMBERS = (*LEARNING, "fine_tune", "evaluate", "compare_models")
TAKES_TAGS = (*TAKES_NUMBERS, "class_report", "confusion_matrix")
NO_LABELS = {
    "VARCHAR[1]": "[if(c = 0, 'yes', 'no')]::VARCHAR[1]",
    "STRUCT": "{a: c}",
    "MAP": "MAP {'a': c}",
    "JSON array": "to_json([c])",
}
OF_LABELS = {name: CALLS[name] for name in (*LEARNING, "fine_tune", *OF_VOTES)} | {
    "evaluate": "FROM evaluate(t, label, label)",
    "class_report": "FROM class_report(t, label, label)",
    "confusion_matrix": "FROM confusion_matrix(t, label, label)",
    "compare_models": "FROM compare_models(t, label, label, label)",
}


def _labelled(con: duckdb.DuckDBPyConnection, label: str, pictures: pa.Table) -> None:
    nil, other = "'00000000-0000-0000-0000-000000000000'::UUID", f"'{'1' * 32}'::UUID"
    label = label.replace("uuid_nil", nil).replace("other", other)
    _table(con, KINDS["embedding"], label, pictures)


@pytest.mark.slow
@pytest.mark.parametrize("function", OF_LABELS)
@pytest.mark.parametrize("kind", LABELS)
def test_a_kind_of_label(
    con: duckdb.DuckDBPyConnection, pictures: pa.Table, home: Path, kind: str, function: str
) -> None:
    _labelled(con, LABELS[kind], pictures)
    assert _works(con, OF_LABELS[function]) == ""


@pytest.mark.slow
@pytest.mark.parametrize("function", OF_LABELS)
@pytest.mark.parametrize("kind", NO_CLASSES)
def test_a_kind_of_label_that_is_no_class(
    con: duckdb.DuckDBPyConnection, pictures: pa.Table, home: Path, kind: str, function: str
) -> None:
    _labelled(con, NO_CLASSES[kind], pictures)
    said = _works(con, OF_LABELS[function])
    takes = TAKES_TAGS if kind == "VARCHAR[]" else TAKES_NUMBERS
    assert (said == "") == (function in takes), said or "works"
    assert not said or "label" in said or "actual" in said


@pytest.mark.slow
@pytest.mark.parametrize("function", OF_LABELS)
@pytest.mark.parametrize("kind", NO_LABELS)
def test_what_is_no_kind_of_label(
    con: duckdb.DuckDBPyConnection, pictures: pa.Table, home: Path, kind: str, function: str
) -> None:
    _labelled(con, NO_LABELS[kind], pictures)
    said = _works(con, OF_LABELS[function])
    assert "label" in said or "actual" in said, said or "works"
