"""Label errors found in real labels, beside what a user would write with cleanlab.

    SQLFUNCS_DATA=... python -m tests.bench.detection [REFERENCE_SCRIPT]

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
from pathlib import Path

import numpy as np
from sklearn.metrics import average_precision_score, roc_auc_score

import sqlfuncs
from tests.bench.pages import ROOT, circumstances, write

DATA = Path(os.environ.get("SQLFUNCS_DATA", ROOT.parent / "shared" / "data")) / "politeness"
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
STATEMENT = "CREATE OR REPLACE TABLE issues AS FROM label_issues(train, text, label)"


def ours(name: str) -> dict[str, float]:
    """Measure one statement on one data set; call it with an empty SQLFUNCS_HOME."""
    train, test = TABLES[name]
    with sqlfuncs.connect() as con:
        con.execute(f"CREATE TABLE train AS {train}")
        con.execute(f"CREATE TABLE test AS {test}")
        seconds = []
        for _ in range(2):
            begun = time.perf_counter()
            con.execute(STATEMENT)
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
        for model, table, label in (
            ("given", "train", "label"),
            ("pruned", "pruned", "label"),
            ("auto", "corrected", "label"),
            ("true", "train", "true_label"),
        ):
            con.execute(f"FROM fine_tune('{model}', {table}, text, {label})").fetchall()
            scored = con.execute(
                f"WITH said AS (SELECT *, llm_classify(text, model := '{model}') AS l FROM test) "
                "SELECT accuracy FROM evaluate(said, label, l)"
            ).fetchone()
            assert scored is not None
            figures[f"test_{model}"] = scored[0]
    return {name: float(value) for name, value in figures.items()}


def in_a_process(arguments: list[str]) -> dict[str, object]:
    """The JSON line that a script prints last, run in an empty home."""
    with tempfile.TemporaryDirectory() as home:
        ran = subprocess.run(
            [sys.executable, "-W", "ignore", *arguments],
            env={**os.environ, "SQLFUNCS_HOME": home},
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
    result: dict[str, object] = json.loads(ran.stdout.splitlines()[-1])
    return result


def table(name: str, reference: dict[str, object], measured: dict[str, object]) -> str:
    """A Markdown table of one data set."""

    def of(source: dict[str, object], *path: str | int) -> float:
        value: object = source
        for step in path:
            value = value[step]  # type: ignore[index]
        return float(value)  # type: ignore[arg-type]

    def both(what: str, theirs: float, mine: float, digits: int = 3) -> str:
        return f"| {what} | {theirs:.{digits}f} | {mine:.{digits}f} |"

    theirs_seconds = of(reference, "seconds", "embed") + of(reference, "seconds", "detect")
    return "\n".join(
        [
            f"| {name}: {of(reference, 'rows'):.0f} rows, {of(reference, 'error_rate'):.1%} wrong "
            "| reference script | one statement |",
            "|---|---|---|",
            both("AUROC of `label_quality`", of(reference, "auroc"), of(measured, "auroc")),
            both(
                "average precision",
                of(reference, "average_precision"),
                of(measured, "average_precision"),
            ),
            both("rows flagged", of(reference, "flagged"), of(measured, "flagged"), 0),
            both(
                "right among the flags",
                of(reference, "flag_precision"),
                of(measured, "flag_precision"),
            ),
            both("found of all", of(reference, "flag_recall"), of(measured, "flag_recall")),
            both(
                "suggestion right among the flags",
                of(reference, "suggestion_accuracy"),
                of(measured, "suggestion_accuracy"),
            ),
            both(
                f"label accuracy, all flags relabelled (given {of(measured, 'given'):.3f})",
                of(reference, "label_accuracy", 1),
                of(measured, "all_flags_relabelled"),
            ),
            "| label accuracy after `auto_corrections` "
            f"| - | {of(measured, 'auto_corrected'):.3f} |",
            both(
                "test accuracy, given labels",
                of(reference, "test_accuracy", "given"),
                of(measured, "test_given"),
            ),
            both(
                "test accuracy, flags pruned",
                of(reference, "test_accuracy", "pruned"),
                of(measured, "test_pruned"),
            ),
            f"| test accuracy, after `auto_corrections` | - | {of(measured, 'test_auto'):.3f} |",
            both(
                "test accuracy, true labels",
                of(reference, "test_accuracy", "true"),
                of(measured, "test_true"),
            ),
            "| time, reference = 1, nothing cached "
            f"| 1 | {of(measured, 'cold') / theirs_seconds:.2f} |",
            f"| time, embeddings cached | 1 | {of(measured, 'warm') / theirs_seconds:.2f} |",
        ]
    )


def main(arguments: list[str]) -> None:
    """Measure both, or with `--ours NAME` just this side, as JSON."""
    if arguments[:1] == ["--ours"]:
        print(json.dumps(ours(arguments[1])))
        return
    script = arguments[0] if arguments else str(REFERENCE)
    tables = [
        table(
            name,
            in_a_process([script, str(DATA), name]),
            in_a_process(["-m", "tests.bench.detection", "--ours", name]),
        )
        for name in TABLES
    ]
    write("detection", "\n\n".join([*tables, circumstances()]))


if __name__ == "__main__":
    main(sys.argv[1:])
