"""label_issues(..., votes := ...): labels and probabilities of others beside the rows."""

from __future__ import annotations

import duckdb
import pytest
from sklearn.metrics import average_precision_score

VOTES = "{gpt: gpt, rule: rule, old: old}"


@pytest.fixture
def t(con: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    """The table `t`: a fifth of 900 labels are wrong, and what `vec` says of the true ones is weak.

    `gpt` is right in four of five rows and `rule`, where it says something, in nine of ten; `old`
    are probabilities; `noise` means nothing.
    """
    con.execute("""
        CREATE TABLE t AS
        SELECT i AS id, i % 3 AS truth,
            if(hash(i, 'w') % 5 = 0, (truth + 1 + hash(i, 'o') % 2) % 3, truth)::INTEGER AS label,
            if(hash(i, 'g') % 5 > 0, truth, (truth + 1 + hash(i, 'h') % 2) % 3)::VARCHAR AS gpt,
            CASE WHEN hash(i, 'r') % 3 = 0 THEN if(hash(i, 'e') % 10 > 0, truth, 0) END::BIGINT
                AS rule,
            hash(i, 'n') % 3 AS noise,
            [if(truth = 0, 1, 0) + hash(i, 'x') % 200 / 100, truth + hash(i, 'y') % 300 / 100
            ]::FLOAT[] AS vec,
            MAP {'0': if(gpt = '0', .8, .1), '1': if(gpt = '1', .8, .1), '2': if(gpt = '2', .8, .1)}
                AS old
        FROM range(900) r(i)
    """)
    return con


def _issues(con: duckdb.DuckDBPyConnection, call: str) -> list[tuple[object, ...]]:
    return con.execute(f"FROM label_issues({call}) ORDER BY id").fetchall()


def _precision(con: duckdb.DuckDBPyConnection, votes: str = "NULL", x: str = "vec") -> float:
    """The average precision of wrong labels."""
    found = con.execute(f"FROM label_issues(t, {x}, label, votes := {votes})").df()
    found = found[found.not_judged.isna()]
    return float(average_precision_score(found.label != found.truth, -found.label_quality))


def test_votes_find_more(t: duckdb.DuckDBPyConnection) -> None:
    alone, gpt, all_of_them = _precision(t), _precision(t, "gpt"), _precision(t, VOTES)
    assert gpt > alone + 0.1
    assert all_of_them > gpt


def test_without_votes_nothing_changes(t: duckdb.DuckDBPyConnection) -> None:
    expected = _issues(t, "t, vec, label")
    assert _issues(t, "t, vec, label, votes := NULL") == expected
    t.execute("CREATE TABLE more AS SELECT *, 'x' AS votes FROM t")
    found = _issues(t, "more, vec, label")
    names = [column[0] for column in t.execute("FROM more LIMIT 0").description or []]
    at = names.index("votes")
    assert [(*row[:at], *row[at + 1 :]) for row in found] == expected


def test_a_list_a_struct_and_a_column_say_the_same(t: duckdb.DuckDBPyConnection) -> None:
    expected = _issues(t, "t, vec, label, votes := gpt")
    for votes in ("[gpt]", "{gpt: gpt}", "gpt::INTEGER", "gpt::ENUM ('2', '1', '0')", "gpt || ''"):
        assert _issues(t, f"t, vec, label, votes := {votes}") == expected
    expected = _issues(t, "t, vec, label, votes := {gpt: gpt, rule: rule}")
    assert _issues(t, "t, vec, label, votes := [gpt, rule::VARCHAR]") == expected
    assert _issues(t, "t, vec, label, votes := [gpt::INTEGER, rule]") == expected


def test_votes_of_other_types_than_the_label(
    t: duckdb.DuckDBPyConnection, capsys: pytest.CaptureFixture[str]
) -> None:
    expected = _issues(t, "t, vec, label, votes := gpt")
    assert _issues(t, "t, vec, label, votes := gpt::DOUBLE") == expected
    assert _issues(t, "t, vec, label, votes := gpt::DECIMAL(9, 2)") == expected
    assert "name none" not in capsys.readouterr().err


def test_without_x(t: duckdb.DuckDBPyConnection) -> None:
    found = _precision(t, "{gpt: gpt, rule: rule, noise: noise}", x="NULL")
    assert found > 0.6
    assert _precision(t, "old", x="NULL") > 0.5
    t.execute("UPDATE t SET gpt = NULL, rule = NULL WHERE id < 3")
    rows = t.execute("""
        SELECT not_judged, class_probs FROM label_issues(t, NULL, label, votes := [gpt, rule::TEXT])
        WHERE id < 4
    """).fetchall()
    assert rows[:3] == [("nobody votes on the row", None)] * 3
    assert rows[3][0] is None and abs(sum(rows[3][1].values()) - 1) < 1e-9


def test_order_and_threads_change_no_bit(t: duckdb.DuckDBPyConnection) -> None:
    # Rows of one vector on which others vote otherwise, too.
    t.execute("UPDATE t SET vec = [id % 40, id % 3]::FLOAT[] WHERE id % 2 = 0")
    t.execute("CREATE TABLE shuffled AS FROM t ORDER BY hash(id)")
    for call in (f"vec, label, votes := {VOTES}", "NULL, label, votes := [gpt, rule::VARCHAR]"):
        expected = _issues(t, f"t, {call}")
        t.execute("SET threads = 1")
        assert _issues(t, f"shuffled, {call}") == expected
        t.execute("RESET threads")


def test_a_vote_that_is_the_label_is_left_out(
    t: duckdb.DuckDBPyConnection, capsys: pytest.CaptureFixture[str]
) -> None:
    expected = _issues(t, "t, vec, label, votes := {gpt: gpt}")
    copies = "copy: label, coded: ['a', 'b', 'c'][label + 1], sure: MAP([label], [1.0])"
    assert _issues(t, f"t, vec, label, votes := {{gpt: gpt, {copies}}}") == expected
    said = capsys.readouterr().err
    for name in ("copy", "coded", "sure"):
        assert f"{name}: it foretells the label of every row" in said
    with pytest.raises(duckdb.Error, match=r"no vote can be used \(copy: it foretells the label"):
        _issues(t, "t, vec, label, votes := {copy: label}")


def test_in_a_log_too_the_label_is_no_vote(t: duckdb.DuckDBPyConnection) -> None:
    t.execute("""
        CREATE TABLE log AS
        SELECT id AS key, if(label = truth, 'keep', 'relabel') AS action, label AS old_label,
            if(label = truth, NULL, truth) AS new_label, 'me' AS decided_by,
            NULL::VARCHAR AS reason, now() AT TIME ZONE 'UTC' AS decided_at
        FROM t ORDER BY sqlfuncs.main._sf_random_order(id) LIMIT 100
    """)
    logged = "key := id, log := log"
    expected = _issues(t, f"t, vec, label, {logged}, votes := {{gpt: gpt}}")
    assert _issues(t, f"t, vec, label, {logged}, votes := {{l: label, gpt: gpt}}") == expected
    assert expected != _issues(t, f"t, vec, label, {logged}")


@pytest.mark.parametrize("votes", ["same: 'a'", "nothing: NULL", "empty: NULL::VARCHAR"])
def test_what_says_nothing_is_left_out(
    t: duckdb.DuckDBPyConnection, capsys: pytest.CaptureFixture[str], votes: str
) -> None:
    expected = _issues(t, "t, vec, label, votes := {gpt: gpt}")
    assert _issues(t, f"t, vec, label, votes := {{{votes}, gpt: gpt}}") == expected
    name = votes.partition(":")[0]
    assert f"left out: {name}: it is NULL or the same everywhere" in capsys.readouterr().err
    with pytest.raises(duckdb.Error, match="no vote can be used"):
        _issues(t, f"t, vec, label, votes := {{{votes}}}")


def test_classes_that_no_label_has_are_learned(
    t: duckdb.DuckDBPyConnection, capsys: pytest.CaptureFixture[str]
) -> None:
    spelt = _issues(t, "t, vec, label, votes := 'class ' || gpt")
    assert "votes that name none of the labels' classes: votes." in capsys.readouterr().err
    assert spelt == _issues(t, "t, vec, label, votes := gpt")


def test_mostly_silent_votes_count_where_they_speak(t: duckdb.DuckDBPyConnection) -> None:
    sparse = "CASE WHEN id % 100 = 0 THEN truth END"
    assert _precision(t, sparse) > _precision(t) - 0.01
    more = "CASE WHEN id % 10 = 0 THEN truth END"
    assert _precision(t, more) > _precision(t)


def test_200_columns_of_votes(t: duckdb.DuckDBPyConnection) -> None:
    noise = ", ".join(f"n{at}: hash(id, {at}) % 3" for at in range(199))
    assert _precision(t, f"{{gpt: gpt, {noise}}}") > _precision(t) - 0.05


def test_a_random_vote_does_no_harm(t: duckdb.DuckDBPyConnection) -> None:
    assert abs(_precision(t, "noise") - _precision(t)) < 0.01


def test_a_vote_that_repeats_x_does_no_harm(t: duckdb.DuckDBPyConnection) -> None:
    t.execute("CREATE TABLE said AS SELECT id, predicted_label FROM label_issues(t, vec, label)")
    t.execute(
        "CREATE OR REPLACE TABLE t AS SELECT t.*, predicted_label AS p FROM t JOIN said USING (id)"
    )
    assert _precision(t, "p") > _precision(t) - 0.02


def test_maps_that_are_no_distribution_are_no_votes(
    t: duckdb.DuckDBPyConnection, capsys: pytest.CaptureFixture[str]
) -> None:
    odd = "if(id < 5, MAP {'0': 3.0, '1': 4.0}, old)"
    assert _issues(t, f"t, vec, label, votes := {odd}") == _issues(
        t, "t, vec, label, votes := if(id < 5, NULL, old)"
    )
    assert "in votes some maps count as no vote: a probability is" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("votes", "message"),
    [
        ("'gpt'", "'gpt' is a constant text, not a column"),
        ("{id: id}", "id holds 900 different values in 900 rows: no classes to vote for"),
        ("{share: hash(id) % 977 / 7}", "share holds numbers, "),
        (
            "{words: ['a', gpt]}",
            r"words is of type VARCHAR\[\], which holds no votes: these are labels",
        ),
        ("{bytes: gpt::BLOB}", "bytes is of type BLOB, which holds no votes"),
        ("{words: MAP {'0': gpt}}", "maps of each class to its probability hold numbers"),
        ("range(id % 3)::VARCHAR[]", "votes are lists of 0 to 2 values: each place is a voter"),
        ("[]::VARCHAR[]", "votes are lists without a value, or NULL in every row"),
        ("NULL::VARCHAR[]", "votes are lists without a value, or NULL in every row"),
    ],
)
def test_what_is_no_vote_is_refused(t: duckdb.DuckDBPyConnection, votes: str, message: str) -> None:
    with pytest.raises(duckdb.Error, match=message):
        _issues(t, f"t, vec, label, votes := {votes}")


def test_own_probabilities_vote_instead(t: duckdb.DuckDBPyConnection) -> None:
    with pytest.raises(duckdb.Error, match=r"name NULL for x: votes := \{a: a, b: b\}"):
        _issues(t, "t, old, label, votes := gpt")
    assert _precision(t, "{old: old, rule: rule}", x="NULL") > 0.6


def test_an_empty_table(t: duckdb.DuckDBPyConnection) -> None:
    t.execute("DELETE FROM t")
    with pytest.raises(duckdb.Error, match="the table has no rows"):
        _issues(t, f"t, vec, label, votes := {VOTES}")


def test_all_that_judges_takes_them(t: duckdb.DuckDBPyConnection) -> None:
    option = "votes := {gpt: gpt, rule: rule}"
    issues = f"label_issues(t, vec, label, {option})"
    flagged = t.execute(
        f"SELECT label, count(*) FILTER (is_label_issue) FROM {issues} GROUP BY 1 ORDER BY 1"
    ).fetchall()
    health = f"SELECT label, flagged FROM label_health(t, vec, label, {option})"
    assert t.execute(health).fetchall() == flagged
    audit = f"SELECT id, label_quality FROM audit(t, vec, label, {option}) ORDER BY id"
    quality = t.execute(f"SELECT id, label_quality FROM {issues} ORDER BY id").fetchall()
    assert t.execute(audit).fetchall() == quality
    verify = f"FROM review_queue(t, vec, label, id, {option}, purpose := 'verify', budget := 900)"
    queued = t.execute(f"SELECT id, label_quality {verify} ORDER BY id").fetchall()
    assert queued and {*queued} <= {*quality}
    find = f"FROM review_queue(t, NULL, label, id, {option}, budget := 50)"
    (wrong,) = t.execute(f"SELECT avg((label <> truth)::INT) {find}").fetchone()  # type: ignore[misc]
    assert wrong > 0.5


@pytest.mark.parametrize("x", ["vec", "NULL"])
def test_reasons_name_votes(t: duckdb.DuckDBPyConnection, x: str) -> None:
    option = "votes := {gpt: gpt, rule: rule}"
    t.execute(f"CREATE TABLE issues AS FROM label_issues(t, {x}, label, {option})")
    rows = t.execute(f"""
        SELECT suggested_label, gpt, speaks_for_suggested, votes
        FROM explain_issues(issues, {x}, label, id, {option}, budget := 5)
    """).fetchall()
    assert len(rows) == 5
    for suggested, gpt, speaks, votes in rows:
        assert f"gpt: {gpt}" in speaks or gpt != str(suggested)
        assert {*votes} == ({"embedding", "votes"} if x == "vec" else {"votes"})


@pytest.mark.parametrize(("rows", "is_left_out"), [(60, True), (40, False)])
def test_a_copy_of_some_labels_is_told_from_a_few_right_votes(
    t: duckdb.DuckDBPyConnection, capsys: pytest.CaptureFixture[str], rows: int, is_left_out: bool
) -> None:
    t.execute(f"ALTER TABLE t ADD few INTEGER; UPDATE t SET few = label WHERE id < {rows}")
    _issues(t, "t, vec, label, votes := {gpt: gpt, few: few}")
    assert ("few: it foretells the label" in capsys.readouterr().err) == is_left_out
