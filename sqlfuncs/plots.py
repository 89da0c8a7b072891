"""Charts of results of `evaluate`, `confusion_matrix` and `review_curve`. Uses Altair if called.

A result is a DataFrame, an Arrow table, a relation of DuckDB, or a list of dicts. Colours and
marks are told apart without colour, and stand on light and dark pages.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sqlfuncs.errors import BadInput, MissingExtra

if TYPE_CHECKING:
    import altair as alt
    import pandas as pd

_BLUE = "#4c78a8"
_GREY = "#888888"
_WIDTH = 420


def gain(results: Mapping[str, object]) -> alt.LayerChart:
    """Accuracies with their 95 % intervals, one below the other, from rows of `evaluate`.

    `results` maps a name, such as "labels as given", to the result for its model: one row with
    n, correct, accuracy, accuracy_low and accuracy_high, from 0 to 1. Raises BadInput for others.
    """
    alt = _altair()
    needs = ("n", "correct", "accuracy", "accuracy_low", "accuracy_high")
    rows = [
        {"model": name, **_frame(result, "evaluate", needs)[list(needs)].iloc[0].to_dict()}
        for name, result in results.items()
    ]
    order = alt.Y("model:N", sort=list(results), title=None)
    base = alt.Chart(alt.Data(values=rows)).encode(
        y=order,
        tooltip=[
            alt.Tooltip("model:N"),
            alt.Tooltip("accuracy:Q", format=".1%"),
            alt.Tooltip("accuracy_low:Q", format=".1%"),
            alt.Tooltip("accuracy_high:Q", format=".1%"),
            alt.Tooltip("correct:Q"),
            alt.Tooltip("n:Q"),
        ],
    )
    scale = alt.Scale(zero=False)
    title = "accuracy, with its 95 % interval"
    span = base.mark_rule(color=_GREY, strokeWidth=2).encode(
        x=alt.X("accuracy_low:Q", title=title, axis=alt.Axis(format=".0%"), scale=scale),
        x2="accuracy_high:Q",
    )
    point = base.mark_point(color=_BLUE, filled=True, size=90, opacity=1).encode(x="accuracy:Q")
    text = base.mark_text(dy=-12, color=_GREY).encode(
        x="accuracy:Q", text=alt.Text("accuracy:Q", format=".1%")
    )
    return (span + point + text).properties(width=_WIDTH, height=44 * max(len(rows), 1))


def confusion_matrix(result: object) -> alt.LayerChart:
    """How often each class was predicted for each, from a result of `confusion_matrix`.

    Columns actual, predicted and n (rows). The shade is the share of the actual class. Raises
    BadInput for other results.
    """
    alt = _altair()
    frame = _frame(result, "confusion_matrix", ("actual", "predicted", "n"))
    share = frame["n"] / frame.groupby("actual")["n"].transform("sum").clip(lower=1)
    rows = [
        {"actual": str(actual), "predicted": str(predicted), "n": int(n), "share": float(part)}
        for actual, predicted, n, part in zip(
            frame["actual"], frame["predicted"], frame["n"], share, strict=True
        )
    ]
    classes = sorted({row[side] for row in rows for side in ("actual", "predicted")}, key=str)
    base = alt.Chart(alt.Data(values=rows)).encode(
        x=alt.X("predicted:N", sort=classes, title="predicted"),
        y=alt.Y("actual:N", sort=classes, title="actual"),
        tooltip=["actual:N", "predicted:N", "n:Q", alt.Tooltip("share:Q", format=".1%")],
    )
    tiles = base.mark_rect().encode(
        color=alt.Color(
            "share:Q",
            title="of the class",
            scale=alt.Scale(scheme="blues", domain=[0, 1]),
            legend=alt.Legend(format=".0%"),
        )
    )
    numbers = base.mark_text().encode(
        text="n:Q",
        color=alt.condition("datum.share > 0.5", alt.value("white"), alt.value("black")),
    )
    side = max(44 * len(classes), 120)
    return (tiles + numbers).properties(width=side, height=side)


def review_curve(result: object) -> alt.LayerChart:
    """How many wrong labels are left after how many reviewed rows, from a result of `review_curve`.

    Columns reviewed (rows), errors_left, errors_left_low and errors_left_high (rows, 95 %). Raises
    BadInput for other results.
    """
    alt = _altair()
    needs = ("reviewed", "errors_left", "errors_left_low", "errors_left_high")
    frame = _frame(result, "review_curve", needs)
    rows: list[dict[str, Any]] = frame[list(needs)].to_dict("records")  # type: ignore[assignment]
    base = alt.Chart(alt.Data(values=rows)).encode(
        x=alt.X("reviewed:Q", title="rows reviewed"),
        tooltip=[
            alt.Tooltip("reviewed:Q"),
            *(alt.Tooltip(f"{c}:Q", format=".0f") for c in needs[1:]),
        ],
    )
    band = base.mark_area(color=_BLUE, opacity=0.25).encode(
        y=alt.Y("errors_left_low:Q", title="wrong labels left, with the 95 % interval"),
        y2="errors_left_high:Q",
    )
    line = base.mark_line(color=_BLUE, point=True).encode(y="errors_left:Q")
    return (band + line).properties(width=_WIDTH, height=240)


def _altair() -> Any:
    try:
        import altair
    except ImportError:
        raise MissingExtra.needed_for("sqlfuncs.plots", "notebook") from None
    return altair


def _frame(result: object, function: str, needs: Sequence[str]) -> pd.DataFrame:
    """A result as a DataFrame with the columns that are needed, and at least one row."""
    import pandas as pd

    if isinstance(result, pd.DataFrame):
        frame = result
    elif hasattr(result, "df"):
        frame = result.df()
    elif hasattr(result, "to_pandas"):
        frame = result.to_pandas()
    else:
        try:
            frame = pd.DataFrame(result)  # type: ignore[call-overload]
        except (TypeError, ValueError):
            raise BadInput(
                f"this takes a result of {function}, not {type(result).__name__}: a DataFrame, an "
                "Arrow table, a relation of DuckDB, or a list of dicts"
            ) from None
    missing = [name for name in needs if name not in frame.columns]
    if missing:
        raise BadInput(
            f"this takes a result of {function}, and there is no column {', '.join(missing)} "
            f"(there are {', '.join(map(str, frame.columns)) or 'none'})"
        )
    if frame.empty:
        raise BadInput(f"this result of {function} has no rows")
    return frame
