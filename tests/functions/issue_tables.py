"""Tables as label_issues gives them, made by hand."""

from __future__ import annotations

from collections.abc import Sequence

import duckdb

Issue = tuple[int, str, dict[str, float] | None, bool]  # id, label, probabilities, flagged


def issues(con: duckdb.DuckDBPyConnection, rows: Sequence[Issue], kind: str = "VARCHAR") -> None:
    """The table `issues`: id, label of a type, and the seven columns of label_issues.

    A row without probabilities was not judged.
    """
    con.execute(
        "CREATE OR REPLACE TABLE judged "
        "(id INTEGER, label VARCHAR, p MAP(VARCHAR, DOUBLE), flagged BOOLEAN)"
    )
    for key, label, probs, flagged in rows:
        con.execute(
            "INSERT INTO judged SELECT $id, $label, if($judged, MAP($names::VARCHAR[], "
            "$values::DOUBLE[]), NULL), $flagged",
            {
                "id": key,
                "label": label,
                "judged": probs is not None,
                "names": list(probs or {}),
                "values": list((probs or {}).values()),
                "flagged": flagged,
            },
        )
    con.execute(f"""
        CREATE OR REPLACE TABLE issues AS
        WITH typed AS (
            SELECT id, label::{kind} AS label, p AS probs, flagged AS f FROM judged
        ), predicted AS (
            SELECT *, map_keys(probs)[list_position(map_values(probs), list_max(map_values(probs)))]
                ::{kind} AS best
            FROM typed
        )
        SELECT id, label, probs[label::VARCHAR] AS label_quality,
            if(probs IS NULL, NULL, f) AS is_label_issue,
            CASE WHEN f THEN best END AS suggested_label,
            CASE WHEN f THEN list_max(map_values(probs)) END AS suggested_confidence,
            best AS predicted_label, probs AS class_probs,
            if(probs IS NULL, 'the text is NULL', NULL) AS not_judged
        FROM predicted ORDER BY id
    """)


def strong(names: tuple[str, str] = ("a", "b")) -> list[Issue]:
    """Forty rows of two classes whose labels the model agrees with: rows 100 to 139.

    It is less sure of any than of a label it finds wrong, so that few of those are evidence.
    """
    rows: list[Issue] = []
    for i in range(40):
        label, other = names if i % 2 == 0 else names[::-1]
        rows.append((100 + i, label, {label: 0.6 + i / 400, other: 0.4 - i / 400}, False))
    return rows


def weak() -> list[Issue]:
    """Forty rows, thirty of them a, for all of which the model says a: rows 100 to 139."""
    return [
        (100 + i, "b" if i % 4 == 0 else "a", {"a": 0.75, "b": 0.25}, i % 4 == 0) for i in range(40)
    ]
