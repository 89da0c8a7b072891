"""Label errors found in real labels, beside what a user would write with cleanlab.

    SQLFUNCS_DATA=... python -m benchmarks.detection [REFERENCE_SCRIPT]

The reference script takes a data folder and the name of a data set and prints a JSON line.
Both run here, one after the other, in processes of their own.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from sklearn.metrics import average_precision_score, roc_auc_score

import sqlfuncs
from benchmarks.pages import ROOT, circumstances, refuse_fallback, write

DATA = Path(os.environ.get("SQLFUNCS_DATA", ROOT.parent / "shared" / "data")) / "politeness"
WEIGHTS = ROOT / ".venv" / "home" / "weights"
REFERENCE = ROOT.parent / "shared" / "bench" / "cleanlab_way.py"
TABLES = {
    "wikipedia": (
        f"FROM '{DATA}/wikipedia_train.csv'",
        f"FROM '{DATA}/wikipedia_test.csv'",
    ),
    "blog": (
        f"""SELECT row_number() OVER () AS id, g.prompt AS text, g.completion AS label,
                c.completion AS true_label
            FROM '{DATA}/blog_train.csv' AS g
            POSITIONAL JOIN '{DATA}/blog_train_consensus.csv' AS c""",
        f"SELECT prompt AS text, completion AS label FROM '{DATA}/blog_test.csv'",
    ),
}
STATEMENT = """
CREATE OR REPLACE TABLE issues AS FROM label_issues(train, text, label, model := '{}')
"""
MODELS = ("fast", "best")


def ours(name: str, model: str) -> dict[str, float]:
    """Measure one statement on one data set; call it with nothing but weights in SQLFUNCS_HOME."""
    train, test = TABLES[name]
    with sqlfuncs.connect() as con:
        con.execute(f"CREATE TABLE train AS {train}")
        con.execute(f"CREATE TABLE test AS {test}")
        seconds = []
        for _ in range(2):
            begun = time.perf_counter()
            con.execute(STATEMENT.format(model))
            seconds.append(time.perf_counter() - begun)
        found = con.execute("FROM issues").df()
        wrong = (found.label != found.true_label).to_numpy()
        flag = found.is_label_issue.to_numpy()
        relabelled = np.where(flag, found.suggested_label, found.label)
        con.execute("CREATE TABLE log AS FROM auto_corrections(issues, id, label)")
        con.execute("CREATE TABLE corrected AS FROM apply_corrections(train, log, id, label)")
        con.execute("CREATE TABLE pruned AS FROM issues WHERE NOT is_label_issue")
        corrected = con.execute(
            "SELECT avg((label = true_label)::INTEGER) FROM corrected"
        ).fetchone()
        assert corrected is not None
        figures = {
            "auroc": roc_auc_score(wrong, -found.label_quality),
            "average_precision": average_precision_score(wrong, -found.label_quality),
            "flagged": int(flag.sum()),
            "flag_precision": wrong[flag].mean(),
            "flag_recall": wrong[flag].sum() / wrong.sum(),
            "suggestion_accuracy": (found.suggested_label == found.true_label)[flag].mean(),
            "given": 1 - wrong.mean(),
            "all_flags_relabelled": (relabelled == found.true_label).mean(),
            "auto_corrected": corrected[0],
            "cold": seconds[0],
            "warm": seconds[1],
        }
        for version, table, label in (
            ("given", "train", "label"),
            ("pruned", "pruned", "label"),
            ("auto", "corrected", "label"),
            ("true", "train", "true_label"),
        ):
            con.execute(
                f"FROM fine_tune('{version}', {table}, text, {label}, base := '{model}')"
            ).fetchall()
            scored = con.execute(
                f"WITH said AS (SELECT *, llm_classify(text, model := '{version}') AS l FROM test) "
                "SELECT accuracy FROM evaluate(said, label, l)"
            ).fetchone()
            assert scored is not None
            figures[f"test_{version}"] = scored[0]
    return {name: float(value) for name, value in figures.items()}


def in_a_process(arguments: list[str]) -> dict[str, object]:
    """The JSON line that a script prints last, run in an empty home."""
    with tempfile.TemporaryDirectory() as home:
        if WEIGHTS.is_dir():
            (Path(home) / "weights").symlink_to(WEIGHTS)
        ran = subprocess.run(
            [sys.executable, "-W", "ignore", *arguments],
            env={**os.environ, "SQLFUNCS_HOME": home},
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
    result: dict[str, object] = json.loads(ran.stdout.splitlines()[-1])
    return result


def table(name: str, reference: dict[str, object], measured: Sequence[dict[str, object]]) -> str:
    """A Markdown table of one data set: the reference, then a column for each model."""

    def of(source: dict[str, object], *path: str | int) -> float:
        value: object = source
        for step in path:
            value = value[step]  # type: ignore[index]
        return float(value)  # type: ignore[arg-type]

    def line(what: str, theirs: float | None, mine: str, digits: int = 3) -> str:
        figures = [f"{of(column, mine):.{digits}f}" for column in measured]
        return f"| {what} | {'-' if theirs is None else f'{theirs:.{digits}f}'} | " + (
            " | ".join(figures) + " |"
        )

    seconds = of(reference, "seconds", "embed") + of(reference, "seconds", "detect")

    def times(what: str, mine: str) -> str:
        figures = " | ".join(f"{of(column, mine) / seconds:.3f}" for column in measured)
        return f"| {what} | 1 | {figures} |"

    given = of(measured[0], "given")
    columns = " | ".join(f"`{model}`" for model in MODELS)
    test = "test accuracy of the same model trained on"
    return "\n".join(
        [
            f"| {name}: {of(reference, 'rows'):.0f} rows, {of(reference, 'error_rate'):.1%} wrong "
            f"| reference script | {columns} |",
            "|---|---|" + "---|" * len(MODELS),
            line("AUROC of `label_quality`", of(reference, "auroc"), "auroc"),
            line("average precision", of(reference, "average_precision"), "average_precision"),
            line("rows flagged", of(reference, "flagged"), "flagged", 0),
            line("right among the flags", of(reference, "flag_precision"), "flag_precision"),
            line("found of all", of(reference, "flag_recall"), "flag_recall"),
            line(
                "suggestion right among the flags",
                of(reference, "suggestion_accuracy"),
                "suggestion_accuracy",
            ),
            line(
                f"label accuracy, all flags relabelled (given {given:.3f})",
                of(reference, "label_accuracy", 1),
                "all_flags_relabelled",
            ),
            line("label accuracy after `auto_corrections`", None, "auto_corrected"),
            line(f"{test} given labels", of(reference, "test_accuracy", "given"), "test_given"),
            line(
                f"{test} rows not flagged", of(reference, "test_accuracy", "pruned"), "test_pruned"
            ),
            line(f"{test} labels after `auto_corrections`", None, "test_auto"),
            line(f"{test} true labels", of(reference, "test_accuracy", "true"), "test_true"),
            times("time, reference = 1, nothing cached", "cold"),
            times("time, embeddings cached", "warm"),
        ]
    )


def main(arguments: list[str]) -> None:
    """Measure both, or with `--ours NAME MODEL` just this side, as JSON."""
    if arguments[:1] == ["--ours"]:
        if arguments[2] == "best":
            refuse_fallback("benchmarks.detection")
        print(json.dumps(ours(arguments[1], arguments[2])))
        return
    script = arguments[0] if arguments else str(REFERENCE)
    tables = [
        table(
            name,
            in_a_process([script, str(DATA), name]),
            [in_a_process(["-m", "benchmarks.detection", "--ours", name, m]) for m in MODELS],
        )
        for name in TABLES
    ]
    write("detection", "\n\n".join([*tables, circumstances()]))


if __name__ == "__main__":
    main(sys.argv[1:])
