"""Columns of labels of many types that mean the same: what is one label, in each pair of types."""

from __future__ import annotations

from dataclasses import dataclass

import duckdb

_NUMBERS = {
    "TINYINT": "{}::TINYINT",
    "INTEGER": "{}::INTEGER",
    "UBIGINT": "{}::UBIGINT",
    "HUGEINT": "{}::HUGEINT",
    "DECIMAL(3,1)": "{}::DECIMAL(3,1)",
    "DECIMAL(9,4)": "{}::DECIMAL(9,4)",
    "FLOAT": "{}::FLOAT",
    "DOUBLE": "{}::DOUBLE",
    "VARCHAR '1'": "'{}'",
    "VARCHAR '1.0'": "'{}.0'",
    "ENUM": "'{}'::ENUM('0', '1')",
    "JSON": "'{}'::JSON",
}
_TIMES = {
    "DATE": "DATE '2024-01-0{}'",
    "TIMESTAMP": "TIMESTAMP '2024-01-0{}'",
    "TIMESTAMP_S": "TIMESTAMP_S '2024-01-0{}'",
    "TIMESTAMP_NS": "TIMESTAMP_NS '2024-01-0{}'",
    "TIMESTAMPTZ": "TIMESTAMPTZ '2024-01-0{}'",
    "VARCHAR '2024-01-01'": "'2024-01-0{}'",
    "VARCHAR with time": "'2024-01-0{} 00:00:00'",
}


@dataclass(frozen=True)
class Column:
    """A type with two labels, which are the same in all columns of its family."""

    name: str
    family: str
    labels: tuple[str, str]  # as SQL expressions

    @property
    def is_text(self) -> bool:
        """Whether values of other types may be read as text."""
        return self.name.startswith(("VARCHAR", "ENUM", "JSON"))


def _family(name: str, types: dict[str, str], values: tuple[object, object]) -> list[Column]:
    return [
        Column(kind, name, (form.format(values[0]), form.format(values[1])))
        for kind, form in types.items()
    ]


COLUMNS = (
    *_family("numbers", _NUMBERS, (0, 1)),
    Column("BOOLEAN", "numbers", ("false", "true")),
    *_family("times", _TIMES, (1, 2)),
    Column(
        "UUID",
        "uuids",
        (
            "uuid '00000000-0000-0000-0000-00000000000a'",
            "uuid '00000000-0000-0000-0000-00000000000b'",
        ),
    ),
    Column(
        "VARCHAR of UUID",
        "uuids",
        ("'00000000-0000-0000-0000-00000000000A'", "'00000000-0000-0000-0000-00000000000B'"),
    ),
    Column("TIME", "hours", ("TIME '10:00'", "TIME '11:00'")),
    Column("VARCHAR of TIME", "hours", ("'10:00'", "'11:00'")),
    Column("VARCHAR in NFC", "words", ("'caf' || chr(233)", "'th' || chr(233)")),
    Column("VARCHAR in NFD", "words", ("'cafe' || chr(769)", "'the' || chr(769)")),
    Column("VARCHAR yes/no", "answers", ("'no'", "'yes'")),
    Column("BOOLEAN as answers", "answers", ("false", "true")),
)


def outcome(con: duckdb.DuckDBPyConnection, query: str) -> object:
    """The one value a query gives, or 'refused' with an error of ours or of DuckDB's types."""
    try:
        row = con.execute(query).fetchone()
    except duckdb.Error as error:
        assert "Please report" not in str(error)
        return "refused"
    return row[0] if row else None


def evaluated(
    con: duckdb.DuckDBPyConnection, actual: Column, said: Column
) -> tuple[object, object]:
    """The accuracy of predictions that are all right, and of ones that are all wrong."""
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE t AS SELECT if(i % 2 = 0, {actual.labels[0]}, "
        f"{actual.labels[1]}) AS y, if(i % 2 = 0, {said.labels[0]}, {said.labels[1]}) AS p, "
        f"if(i % 2 = 0, {said.labels[1]}, {said.labels[0]}) AS w FROM range(4) r(i)"
    )
    return (
        outcome(con, "SELECT accuracy FROM evaluate(t, y, p)"),
        outcome(con, "SELECT accuracy FROM evaluate(t, y, w)"),
    )


def looked_up(con: duckdb.DuckDBPyConnection, label: Column, keys: Column) -> object:
    """The probability of a label in a map whose keys are of another type: 0.9 is right."""
    first, second = keys.labels
    return outcome(
        con,
        f"SELECT label_quality({label.labels[0]}, "
        f"MAP {{{first}: 0.9::DOUBLE, {second}: 0.1::DOUBLE}})",
    )


def judged(con: duckdb.DuckDBPyConnection, label: Column, keys: Column) -> object:
    """How many of 40 rows such maps judge, flag and suggest nothing new for: '40 2 0' is right."""
    (a, b), (first, second) = label.labels, keys.labels
    con.execute(
        "CREATE OR REPLACE TEMP TABLE t AS SELECT "
        f"if((i % 2 = 0) = (i NOT IN (6, 9)), {a}, {b}) AS y, MAP {{{first}: if(i % 2 = 0, 0.9, "
        f"0.1)::DOUBLE, {second}: if(i % 2 = 0, 0.1, 0.9)::DOUBLE}} AS p FROM range(40) r(i)"
    )
    return outcome(
        con,
        "SELECT count(label_quality) || ' ' || count(*) FILTER (is_label_issue) || ' ' || "
        "count(*) FILTER (suggested_label IS NOT DISTINCT FROM y AND is_label_issue) "
        "FROM label_issues(t, p, y, cut := 'predicted_neq_given')",
    )


def decided(con: duckdb.DuckDBPyConnection, label: Column, log: Column) -> object:
    """Whether the label is the other one after a decision in a log of another type."""
    (a, b), (old, new) = label.labels, log.labels
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE t AS SELECT 1 AS id, {a} AS y UNION ALL SELECT 2, {b}"
    )
    con.execute(
        "CREATE OR REPLACE TEMP TABLE d AS SELECT 1 AS key, 'relabel' AS action, "
        f"{old} AS old_label, {new} AS new_label, 'ann' AS decided_by, NULL AS reason, "
        "TIMESTAMP '2024-01-01' AS decided_at"
    )
    return outcome(con, f"SELECT y = {b} FROM apply_corrections(t, d, id, y) WHERE id = 1")


def keyed(con: duckdb.DuckDBPyConnection, key: Column, log: Column) -> object:
    """The label after a decision whose key is of another type: 'new' is right."""
    first, second = key.labels
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE t AS SELECT {first} AS id, 'old' AS y "
        f"UNION ALL SELECT {second}, 'old'"
    )
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE d AS SELECT {log.labels[0]} AS key, 'relabel' AS action, "
        "'old' AS old_label, 'new' AS new_label, 'ann' AS decided_by, NULL AS reason, "
        "TIMESTAMP '2024-01-01' AS decided_at"
    )
    return outcome(con, f"SELECT y FROM apply_corrections(t, d, id, y) WHERE id = {first}")


def of_three(
    con: duckdb.DuckDBPyConnection, actual: Column, one: Column, other: Column
) -> tuple[tuple[object, ...], tuple[object, ...]]:
    """What is said of two columns where a third is read as well, and where it is not.

    The first and the third hold the same labels, and the second a wrong one in four rows of ten.
    """
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE t AS SELECT if(i % 2 = 0, {actual.labels[0]}, "
        f"{actual.labels[1]}) AS y, if((i % 2 = 0) = (i < 6), {one.labels[0]}, {one.labels[1]}) "
        f"AS p, if(i % 2 = 0, {other.labels[0]}, {other.labels[1]}) AS q FROM range(10) r(i)"
    )
    apart = [outcome(con, f"SELECT accuracy FROM evaluate(t, y, {name})") for name in "pq"]
    is_refused = "refused" in apart
    return (
        (
            outcome(
                con, "SELECT [accuracy_before, accuracy_after] FROM compare_models(t, y, p, q)"
            ),
            outcome(
                con,
                "SELECT [accuracy_given, accuracy, label_accuracy] FROM evaluate_noisy(t, y, p, q)",
            ),
        ),
        (
            "refused" if is_refused else apart,
            "refused" if is_refused else [apart[0], apart[0], apart[1]],
        ),
    )
