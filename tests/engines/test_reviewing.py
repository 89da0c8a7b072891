"""A table under review in DuckDB."""

from __future__ import annotations

import json
from typing import Any

import duckdb
import pytest

import sqlfuncs
from sqlfuncs.engines.duckdb.reviewing import ReviewedTable
from sqlfuncs.errors import BadInput, CannotKeep
from sqlfuncs.review.decisions import Decision
from tests.functions.decisions import FAULTS, decide
from tests.review.tables import CLASSES, EVIL, MADE

NAMES: dict[str, Any] = {"table": "train", "text": "text", "label": "label", "key": "id"}


@pytest.fixture
def train(con: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    con.execute(MADE.format(rows=120), [list(CLASSES), EVIL])
    return con


def _reviewed(con: duckdb.DuckDBPyConnection, **other: str) -> ReviewedTable:
    return ReviewedTable(con, **{**NAMES, "x": "probs", **other})


def test_what_the_model_says_and_learns(train: duckdb.DuckDBPyConnection) -> None:
    table = _reviewed(train)
    judged = table.judged().to_pylist()
    assert len(judged) == 120
    flagged = {row["key"] for row in judged if row["is_label_issue"]}
    assert flagged == {str(i) for i in range(120) if i % 10 == 4}
    table.append([Decision("4", "exclude", CLASSES[2], None, "ann")])
    learned = table.learned().to_pylist()
    assert sorted(row["review_rank"] for row in learned) == list(range(1, 120))
    assert "4" not in {row["key"] for row in learned}
    assert table.details("4") == {"truth": CLASSES[1]}


def test_a_step_has_one_moment_later_than_all_before(train: duckdb.DuckDBPyConnection) -> None:
    table = _reviewed(train)
    first = table.append([Decision(key, "keep", CLASSES[0], None, "ann") for key in ("0", "3")])
    train.execute("UPDATE decisions SET decided_at = decided_at + INTERVAL 1 YEAR")
    second = table.append([Decision("0", "exclude", CLASSES[0], None, "o'neil", "it's spam")])
    assert len({each.decided_at for each in first}) == 1
    log = table.log()
    assert [each.key for each in log] == ["0", "3", "0"]
    assert log[-1] == second[0]
    assert log[-1].decided_at > log[0].decided_at


def test_the_decisions_are_applied_by_apply_corrections(train: duckdb.DuckDBPyConnection) -> None:
    table = _reviewed(train)
    table.append([Decision("4", "relabel", CLASSES[2], CLASSES[1], "ann")])
    found = train.execute(
        "SELECT label FROM apply_corrections(train, decisions, id, label) WHERE id = 4"
    )
    assert found.fetchall() == [(CLASSES[1],)]


def test_a_log_of_typed_keys_as_auto_corrections_makes_it(
    train: duckdb.DuckDBPyConnection,
) -> None:
    train.execute(
        "CREATE TABLE decisions AS SELECT 14 AS key, 'relabel' AS action, label AS old_label, "
        "truth AS new_label, 'auto_corrections' AS decided_by, 'sure' AS reason, "
        "now() AT TIME ZONE 'UTC' AS decided_at FROM train WHERE id = 14"
    )
    table = _reviewed(train)
    table.append([Decision("0", "keep", CLASSES[0], None, "ann")])
    assert [(each.key, each.decided_by) for each in table.log()] == [
        ("14", "auto_corrections"),
        ("0", "ann"),
    ]
    table.judged()
    assert "14" in table.learned()["key"].to_pylist()  # a machine's word is not the last one


def test_how_many_wrong_labels_are_left(train: duckdb.DuckDBPyConnection) -> None:
    table = _reviewed(train)
    table.judged()
    drawn = [str(i) for i in range(0, 120, 3)]
    rows = {str(k): (label, truth) for k, label, truth in train.execute(
        "SELECT id, label, truth FROM train").fetchall()}  # fmt: skip
    table.append(
        [Decision(k, "relabel", *rows[k], "ann") if rows[k][0] != rows[k][1]
         else Decision(k, "keep", rows[k][0], None, "ann") for k in drawn]
    )  # fmt: skip
    now = table.curve(drawn)[0]
    assert now.reviewed == 40
    assert now.errors_left_low <= 8 <= now.errors_left_high  # of 12, 4 are in the sample


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"table": "trai"}, "there is no table trai. The database has train"),
        ({"key": "truth"}, "--key truth does not name a row: several rows have delivery, "),
        ({"log": "train"}, "train is no decision log: it has no column key, action"),
        ({"log": "gone.decisions"}, "the log gone.decisions cannot be made"),
    ],
)
def test_names_that_do_not_fit(
    train: duckdb.DuckDBPyConnection, given: dict[str, str], message: str
) -> None:
    with pytest.raises(BadInput, match=message):
        _reviewed(train, **given)


def test_keys_that_are_null_and_tables_without_rows(train: duckdb.DuckDBPyConnection) -> None:
    train.execute("UPDATE train SET id = NULL WHERE id = 7")
    with pytest.raises(BadInput, match="it is NULL in some rows"):
        _reviewed(train)
    train.execute("DELETE FROM train")
    with pytest.raises(BadInput, match="train has no rows"):
        _reviewed(train)


@pytest.mark.parametrize("fault", FAULTS)
def test_a_log_that_does_not_fit_is_said_before_anything_is_reviewed(
    con: duckdb.DuckDBPyConnection, fault: str
) -> None:
    con.execute(
        "CREATE TABLE t AS "
        "FROM (VALUES (1, 'a', 'x'), (2, 'b', 'y'), (3, NULL, 'z')) v(id, label, text)"
    )
    decisions, parts = FAULTS[fault]
    decide(con, *decisions, name="decisions")
    with pytest.raises(BadInput) as raised:
        ReviewedTable(con, table="t", text="text", label="label", key="id")
    assert all(part in str(raised.value) for part in parts)


def test_what_cannot_be_written_is_an_error(train: duckdb.DuckDBPyConnection) -> None:
    table = _reviewed(train)
    train.execute("DROP TABLE decisions")
    with pytest.raises(CannotKeep, match="nothing was decided"):
        table.append([Decision("0", "keep", CLASSES[0], None, "ann")])


def test_odd_names(con: duckdb.DuckDBPyConnection) -> None:
    con.execute('CREATE TABLE "ta""b.le" AS SELECT \'k\' || i AS "k\'ey", i::VARCHAR AS "te xt", '
                "chr(97 + (i % 2)::INT) AS \"la\"\"bel\" FROM range(9) r(i)")  # fmt: skip
    table = ReviewedTable(
        con, table='"ta""b.le"', text="te xt", label='la"bel', key="k'ey", log='"my lo""g"'
    )
    assert table.rows()["key"].to_pylist()[:2] == ["k0", "k1"]
    table.append([Decision("k0", "relabel", "a", "b", "ann")])
    assert con.execute('SELECT key FROM "my lo""g"').fetchall() == [("k0",)]


def test_images_and_structs(con: duckdb.DuckDBPyConnection) -> None:
    con.execute(
        "CREATE TABLE t AS SELECT i AS id, 'a' AS label, '\\x89PNG'::BLOB AS picture, "
        "{size: i, colour: NULL} AS fields FROM range(3) r(i)"
    )
    pictures = ReviewedTable(con, table="t", text="picture", label="label", key="id")
    assert pictures.rows()["text"].to_pylist() == [None] * 3
    assert pictures.image("1") == b"\x89PNG"
    assert pictures.content() is None
    fields = ReviewedTable(con, table="t", text="fields", label="label", key="id")
    assert fields.rows()["text"].to_pylist()[1] == {"size": 1, "colour": None}
    assert fields.image("1") is None
    content = fields.content()
    assert content is not None and content["x"].to_pylist()[1] == {"size": 1, "colour": None}


@pytest.mark.parametrize("kind", ["TIMESTAMPTZ", "TIMESTAMP_S", "VARCHAR"])
def test_moments_that_do_not_tell_steps_apart_are_refused(
    train: duckdb.DuckDBPyConnection, kind: str
) -> None:
    _reviewed(train)
    train.execute(f"ALTER TABLE decisions ALTER decided_at TYPE {kind}")
    with pytest.raises(BadInput, match="has to be TIMESTAMP, to tell steps apart: ALTER TABLE"):
        _reviewed(train)


def test_what_rows_are_compared_by_has_their_keys(train: duckdb.DuckDBPyConnection) -> None:
    """A view gives its rows in any order."""
    train.execute(
        "CREATE VIEW seen AS SELECT id, any_value(text) AS text, any_value(label) AS label, "
        "any_value(probs) AS probs FROM train GROUP BY id ORDER BY random()"
    )
    found = _reviewed(train, table="seen", x="text").content()
    assert found is not None
    said = dict(zip(found["key"].to_pylist(), found["x"].to_pylist(), strict=True))
    assert said["7"] == "where is my order 7?" and len(said) == 120


def test_excluded_rows_alone_tell_nothing_of_what_is_left(
    train: duckdb.DuckDBPyConnection,
) -> None:
    table = _reviewed(train)
    table.judged()
    keys = [str(each) for each in range(20)]
    table.append([Decision(key, "exclude", CLASSES[int(key) % 3], None, "ann") for key in keys
                  if int(key) % 10 != 4])  # fmt: skip
    with pytest.raises(BadInput, match="no row of a random sample has been reviewed"):
        table.curve([key for key in keys if int(key) % 10 != 4])


def test_odd_tags_are_put_into_words_as_they_are() -> None:
    odd = ["two\nlines", "back\\slash", 'a "quote"', "a, b"]
    with sqlfuncs.connect() as con:
        con.execute(
            "CREATE TABLE tagged AS SELECT id, 'x' AS text, ['a'] AS label FROM range(9) r(id)"
        )
        table = ReviewedTable(con, table="tagged", text="text", label="label", key="id")
        words = table.in_words(json.dumps(odd))
        assert table.parts(words) == odd
        assert con.execute("SELECT $1::VARCHAR[]", [words]).fetchall() == [(odd,)]
