"""explain_issues(issues, x, label, key): why the worst flagged rows are flagged."""

from __future__ import annotations

import re

import duckdb
import pytest

WHY = "speaks_for_given, speaks_for_suggested, like_given, like_suggested, votes"


def _why(
    con: duckdb.DuckDBPyConnection, options: str = "", x: str = "x"
) -> list[dict[str, object]]:
    found = con.execute(f"FROM explain_issues(issues, {x}, label, id{options})")
    names = [column[0] for column in found.description]
    return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


@pytest.fixture
def fields(con: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    """The table `issues` of 300 rows; the country tells the class, the noise nothing."""
    con.execute("""
        CREATE TABLE t AS
        SELECT i AS id, if(i % 30 = 0, 1 - i % 2, i % 2) AS label,
            {country: ['de', 'fr'][1 + i % 2], noise: hash(i) % 7} AS x
        FROM range(300) r(i)
    """)
    con.execute("CREATE TABLE issues AS FROM label_issues(t, x, label)")
    return con


def test_words(sample: duckdb.DuckDBPyConnection) -> None:
    sample.execute("CREATE TABLE issues AS FROM label_issues(requests, text, label)")
    worst = [
        row[0]
        for row in sample.execute(
            "SELECT id FROM issues WHERE is_label_issue ORDER BY label_quality, id LIMIT 5"
        ).fetchall()
    ]
    rows = _why(sample, ", budget := 5", x="text")
    assert sorted(row["id"] for row in rows) == sorted(worst)  # type: ignore[type-var]
    (bill,) = (row for row in rows if "correct the bill" in str(row["text"]))
    assert bill["suggested_label"] == "billing"
    assert "bill" in bill["speaks_for_suggested"]  # type: ignore[operator]
    for row in rows:
        words = {*row["speaks_for_given"], *row["speaks_for_suggested"]}  # type: ignore[misc]
        said = re.findall(r"\w+|[^\w\s]", str(row["text"]).lower())
        assert {part for word in words for part in str(word).split()} <= {*said}
        assert len(row["speaks_for_suggested"]) <= 5  # type: ignore[arg-type]
        assert "words" in row["votes"]  # type: ignore[operator]
        assert set(row["votes"].values()) <= {"account", "billing", "delivery", "product"}  # type: ignore[attr-defined]
        for column, label in (("like_given", "label"), ("like_suggested", "suggested_label")):
            keys = row[column]
            assert len(keys) == 3 and str(row["id"]) not in keys  # type: ignore[arg-type, operator]
            (only,) = sample.execute(
                "SELECT list(DISTINCT label) FROM issues WHERE id::VARCHAR IN (SELECT unnest($1)) "
                "AND NOT is_label_issue", [keys],
            ).fetchone()  # type: ignore[misc]  # fmt: skip
            assert only == [row[label]]


def test_fields(fields: duckdb.DuckDBPyConnection) -> None:
    rows = _why(fields)
    assert sorted(row["id"] for row in rows) == list(range(0, 300, 30))  # type: ignore[type-var]
    for row in rows:
        assert row["speaks_for_suggested"][0] == "country"  # type: ignore[index]
        assert "country" not in row["speaks_for_given"]  # type: ignore[operator]
        assert row["like_given"] == row["like_suggested"] == []
        assert row["votes"] == {"fields": str(row["suggested_label"])}


def test_words_with_their_field_and_fields(con: duckdb.DuckDBPyConnection) -> None:
    con.execute("""
        CREATE TABLE t AS
        SELECT i AS id, ['bill', 'parcel'][1 + i % 2] AS truth,
            if(i % 30 = 0, 'parcel', truth) AS label,
            {"the ""body"" text": 'about my ' || truth || ' of order ' || i,
             subject: if(i % 3 = 1, NULL, 'order ' || i || ' of mine'),
             amount: i % 2 * 10 + hash(i) % 5, noise: hash(i) % 7} AS x
        FROM range(300) r(i)
    """)
    con.execute("CREATE TABLE issues AS FROM label_issues(t, x, label)")
    rows = _why(con)
    assert sorted(row["id"] for row in rows) == list(range(0, 300, 30))  # type: ignore[type-var]
    for row in rows:
        speak = row["speaks_for_suggested"]
        assert {'the "body" text: bill', "amount"} <= {*speak}  # type: ignore[misc]
        fields = ('the "body" text: ', "subject: ")
        others = {"amount", "noise", "subject (missing)"}
        named = {*speak, *row["speaks_for_given"]}  # type: ignore[misc]
        assert all(name.startswith(fields) or name in others for name in named)
        assert {"words", "fields"} <= row["votes"].keys()  # type: ignore[attr-defined]
        assert {row["votes"]["words"], row["votes"]["fields"]} == {"bill"}  # type: ignore[index]
        assert row["like_given"] == row["like_suggested"] == []


def test_the_columns_of_the_result_come_first(fields: duckdb.DuckDBPyConnection) -> None:
    had = fields.execute("FROM issues LIMIT 0").description
    has = fields.execute("FROM explain_issues(issues, x, label, id) LIMIT 0").description
    assert [column[:2] for column in has[: len(had)]] == [column[:2] for column in had]
    assert ", ".join(column[0] for column in has[len(had) :]) == WHY


def test_the_worst_first_and_no_more_than_asked_for(fields: duckdb.DuckDBPyConnection) -> None:
    every = _why(fields)
    assert [row["label_quality"] for row in every] == sorted(row["label_quality"] for row in every)  # type: ignore[type-var]
    assert _why(fields, ", budget := 3") == every[:3]


def test_embeddings_have_neighbours_and_no_words(con: duckdb.DuckDBPyConnection) -> None:
    con.execute("""
        CREATE TABLE t AS
        SELECT i AS id, if(i % 20 = 0, 'ab'[2 - i % 2], 'ab'[1 + i % 2]) AS label,
            [i % 2 * 4.0 + sin(i), cos(i)] AS x
        FROM range(200) r(i)
    """)
    con.execute("CREATE TABLE issues AS FROM label_issues(t, x, label)")
    for row in _why(con):
        assert (row["speaks_for_given"], row["speaks_for_suggested"]) == ([], [])
        assert {int(key) % 2 for key in row["like_suggested"]} == {int(str(row["id"])) % 2}  # type: ignore[attr-defined]
        assert row["votes"] == {"embedding": row["suggested_label"]}


def test_the_text_that_probabilities_are_about(con: duckdb.DuckDBPyConnection) -> None:
    con.execute("""
        CREATE TABLE t AS
        SELECT i AS id, ['my bill', 'my parcel'][1 + i % 2] || ' no ' || i AS text,
            if(i % 20 = 0, 'parcel', ['bill', 'parcel'][1 + i % 2]) AS label,
            MAP {'bill': if(i % 2 = 0, .9, .1), 'parcel': if(i % 2 = 0, .1, .9)} AS x
        FROM range(200) r(i)
    """)
    con.execute("CREATE TABLE issues AS FROM label_issues(t, x, label)")
    rows = _why(con, x="text")
    assert len(rows) == 10
    assert all("bill" in row["speaks_for_suggested"] for row in rows)  # type: ignore[operator]
    with pytest.raises(duckdb.Error, match="name the column that the probabilities are about"):
        _why(con)


@pytest.mark.parametrize("changed", ["is_label_issue = NULL", "suggested_label = NULL", "x = NULL"])
def test_what_cannot_be_explained_is_left_out(
    fields: duckdb.DuckDBPyConnection, changed: str
) -> None:
    fields.execute(f"UPDATE issues SET {changed} WHERE id = 30")
    assert 30 not in {row["id"] for row in _why(fields)}
    assert len(_why(fields)) == 9


def test_where_nothing_is_flagged_there_is_nothing(fields: duckdb.DuckDBPyConnection) -> None:
    fields.execute("UPDATE issues SET is_label_issue = false")
    assert _why(fields) == []


@pytest.mark.parametrize(
    ("before", "options", "said"),
    [
        ("", ", budget := 0", "budget := 0 is how many rows: 1 or more"),
        ("", ", model := 'none such'", "reads text or images"),
        ("UPDATE issues SET is_label_issue = true, suggested_label = 1 - label", "",
         "every row is flagged"),
        ("ALTER TABLE issues DROP is_label_issue", "", "is_label_issue"),
    ],
)  # fmt: skip
def test_bad_input(fields: duckdb.DuckDBPyConnection, before: str, options: str, said: str) -> None:
    fields.execute(before)
    with pytest.raises(duckdb.Error, match=said):
        _why(fields, options)


def test_whole_numbers_that_are_amounts_are_no_classes(con: duckdb.DuckDBPyConnection) -> None:
    con.execute("""
        CREATE TABLE issues AS
        SELECT i AS id, 'row ' || i AS text, i AS label, i = 3 AS is_label_issue,
            if(i = 3, 9, NULL) AS suggested_label, .5 AS label_quality, 1.5 AS label_low,
            NULL::MAP(VARCHAR, DOUBLE) AS class_probs
        FROM range(9) r(i)
    """)
    with pytest.raises(duckdb.Error, match="explain_issues is about classes, and these labels are"):
        con.sql("FROM explain_issues(issues, text, label, id)").fetchall()
