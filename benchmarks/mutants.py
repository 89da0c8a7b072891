"""Faults of one line, put in one by one, and whether the fast tests of what they touch see them.

    python -m benchmarks.mutants

Works in a copy of the tracked files, and writes into docs/benchmarks.md a line for each fault and
how many were seen. It takes about ten minutes.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from benchmarks.pages import write

ROOT = Path(__file__).parent.parent


@dataclass(frozen=True)
class Mutant:
    """In `file` of the package, `right` becomes `wrong`; `tests` are the paths to run."""

    file: str
    right: str
    wrong: str
    tests: str


MUTANTS = (
    Mutant(
        "learning/detection/confident.py",
        "seen.is_strong and seen.hits_hard_rows",
        "seen.is_strong or seen.hits_hard_rows",
        "tests/learning/detection",
    ),
    Mutant(
        "learning/detection/noise.py",
        "_PRIOR_ROWS = 30.0",
        "_PRIOR_ROWS = 3.0",
        "tests/learning/detection",
    ),
    Mutant(
        "learning/detection/health.py",
        "- seen.own_error) / 2",
        "- seen.own_error)",
        "tests/learning/detection",
    ),
    Mutant(
        "learning/detection/certainty.py",
        "_AS_LIKELY = 0.8",
        "_AS_LIKELY = 0.75",
        "sqlfuncs/learning/detection tests/learning/detection",
    ),
    Mutant(
        "learning/features/tabular.py",
        "SHRINKAGE = 0.2",
        "SHRINKAGE = 0.6",
        "tests/learning/features",
    ),
    Mutant(
        "statistics/curve.py",
        "(hits <= 3)",
        "(hits <= 2)",
        "sqlfuncs/statistics tests/statistics tests/functions/test_review_curve.py",
    ),
    Mutant(
        "review/progress.py",
        "_AT_ONCE_SECONDS < gap",
        "0 < gap",
        "tests/review/test_progress.py",
    ),
    Mutant(
        "review/queue.py",
        "scores.quality <= wanted.high",
        "scores.quality < wanted.high",
        "tests/review/test_queue.py",
    ),
    Mutant("learning/models/folds.py", "if crowded:", "if False:", "tests/learning/models"),
    Mutant(
        "learning/models/folds.py",
        "2 * int(repeated(keys, codes).sum()) > labeled",
        "int(repeated(keys, codes).sum()) > labeled",
        "tests/learning/models tests/functions/test_label_issues_copies.py",
    ),
    Mutant(
        "learning/models/class_target.py",
        "unseen & ~of_copies",
        "unseen",
        "tests/learning/models tests/functions/test_label_issues_copies.py",
    ),
    Mutant(
        "learning/models/out_of_sample.py",
        "target.chosen(order)",
        "target",
        "tests/learning/models/test_out_of_sample.py",
    ),
    Mutant(
        "learning/tasks/classification.py",
        "queued = usable & ~decisions.any",
        "queued = usable",
        "tests/functions/test_review_queue.py",
    ),
    Mutant(
        "learning/tasks/classification.py",
        '"self_confidence" if method == "auto" and not judged.kind.needs_model else method',
        "method",
        "tests/functions/test_label_issues.py",
    ),
    Mutant(
        "learning/labels/compared.py",
        'None if o == "nan" else form',
        "form",
        "tests/functions/test_evaluate.py",
    ),
    Mutant(
        "learning/labels/compared.py",
        "b in among[c]) if c in among",
        "b in among[c]) if c in among and False",
        "tests/functions/test_label_types.py tests/functions/test_evaluate_noisy.py",
    ),
    Mutant(
        "statistics/comparison.py",
        "(cross - n / 2 if cross > 0 else cross)",
        "cross",
        "tests/functions/test_compare_models.py",
    ),
    Mutant(
        "statistics/noisy.py",
        "Share(0.5, 0.0, 1.0)",
        "Share(0.5, 0.5, 0.5)",
        "tests/functions/test_evaluate_noisy.py",
    ),
    Mutant(
        "statistics/evaluation.py",
        "0.0 if is_nan else number",
        "0.0",
        "tests/functions/test_class_report.py",
    ),
    Mutant(
        "engines/duckdb/udf.py",
        "with wording.speaking(DIALECT):",
        "if True:",
        "tests/test_wording.py tests/engines/test_connection.py",
    ),
    Mutant(
        "engines/duckdb/types.py",
        "key.value_type if pa.types.is_dictionary(key) else key",
        "key",
        "sqlfuncs/engines",
    ),
    Mutant(
        "store/folders.py",
        "isinstance(found, int) and found > FORMAT",
        "False",
        "tests/store/test_versions.py",
    ),
    Mutant(
        "llm/limits.py",
        "self._lately[0][0] <= now - _MINUTE",
        "self._lately[0][0] <= now - 2 * _MINUTE",
        "tests/llm/test_limits.py",
    ),
    Mutant(
        "functions/spec.py",
        "assert not unknown,",
        "assert True,",
        "tests/test_plugins.py",
    ),
)


def copied(folder: Path) -> Path:
    """The tracked files as they are now, in a folder."""
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, check=True, capture_output=True)
    for name in listed.stdout.decode().splitlines():
        to = folder / name
        to.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / name, to)
    return folder


def is_seen(mutant: Mutant, folder: Path) -> bool:
    """Whether a test fails. Raises SystemExit if the line to change is gone."""
    file = folder / "sqlfuncs" / mutant.file
    text = file.read_text(encoding="utf-8")
    if text.count(mutant.right) != 1:
        raise SystemExit(f"{mutant.file} has {mutant.right!r} {text.count(mutant.right)} times.")
    file.write_text(text.replace(mutant.right, mutant.wrong), encoding="utf-8")
    try:
        done = subprocess.run(
            [*(sys.executable, "-m", "pytest", "-qx", "-m", "not slow"), *mutant.tests.split()],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1"},
            check=False,
            capture_output=True,
        )
    finally:
        file.write_text(text, encoding="utf-8")
    if done.returncode not in (0, 1):
        raise SystemExit(done.stdout.decode() + done.stderr.decode())
    return done.returncode == 1


def main() -> int:
    """Print what is seen; how many are not."""
    seen, rows = 0, []
    with tempfile.TemporaryDirectory() as scratch:
        folder = copied(Path(scratch))
        for mutant in MUTANTS:
            failed = is_seen(mutant, folder)
            seen += failed
            changed = f"`{mutant.right}` -> `{mutant.wrong}`"
            rows.append(f"| {mutant.file} | {changed} | {'seen' if failed else 'NOT SEEN'} |")
            print(rows[-1], flush=True)
    head = [f"| {seen} of {len(MUTANTS)} are seen | | |", "|---|---|---|"]
    write("mutants", "\n".join([*head, *rows]))
    return len(MUTANTS) - seen


if __name__ == "__main__":
    sys.exit(main())
