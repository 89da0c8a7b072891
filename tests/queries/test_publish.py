"""`publish` makes tables that a program without sqlfuncs can read."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import sqlfuncs
from sqlfuncs.cli.run import rendered
from sqlfuncs.engines.duckdb.statements import run
from sqlfuncs.queries import files
from tests.conftest import SAMPLE

BARE = """
import importlib.util, json, sys
sys.path.insert(0, sys.argv[1])
import duckdb
assert importlib.util.find_spec("sqlfuncs") is None
con = duckdb.connect(sys.argv[2], read_only=True)
names = [name for (name,) in con.execute("SELECT table_name FROM duckdb_tables()").fetchall()]
assert not con.execute("FROM duckdb_views() WHERE NOT internal").fetchall()
print(json.dumps({name: {
    "rows": len(con.execute(f'FROM "{name}"').fetchall()),
    "types": sorted({str(kind) for _, kind, *_ in con.description}),
} for name in names if name.startswith("pub'lished_")}))
con.close()
"""


def _only_duckdb(folder: Path) -> Path:
    """A folder to import from that holds DuckDB and nothing else."""
    folder.mkdir()
    spec = importlib.util.find_spec("duckdb")
    assert spec is not None and spec.origin is not None
    for each in Path(spec.origin).parent.parent.glob("*duckdb*"):
        if each.name.startswith(("duckdb", "_duckdb")):
            (folder / each.name).symlink_to(each)
    return folder


def test_a_program_without_sqlfuncs_reads_all_of_them(tmp_path: Path) -> None:
    db = tmp_path / "mine.duckdb"
    with sqlfuncs.connect(db) as con:
        con.execute(f"CREATE TABLE train AS FROM '{SAMPLE}' LIMIT 200")
        for query, given in (
            ("detect", {}),
            ("correct", {}),
            ("fine_tune", {"name": "mine"}),
            ("evaluate", {"table": "train", "label": "true_label", "model": "mine"}),
            (
                "publish",
                {
                    "log": "decisions",
                    "predictions": "predictions",
                    "actual": "true_label",
                    "prefix": "pub'lished",
                },
            ),
        ):
            *_, last = run(con, rendered(files.find(query), given))
    ran = subprocess.run(
        [sys.executable, "-I", "-S", "-c", BARE, str(_only_duckdb(tmp_path / "only")), str(db)],
        capture_output=True,
        encoding="utf-8",
        timeout=300,
    )
    assert ran.returncode == 0, ran.stderr
    read = json.loads(ran.stdout)
    assert {name.removeprefix("pub'lished_"): each["rows"] for name, each in read.items()} == {
        "rows": 200,
        "classes": 4,
        "flags": 4,
        "summary": 1,
        "models": 1,
        "decisions": read["pub'lished_decisions"]["rows"],
        "evaluation": 1,
        "class_report": 4,
        "confusion": 16,
    }
    kinds = {kind.partition("(")[0] for each in read.values() for kind in each["types"]}
    assert kinds <= {"VARCHAR", "BIGINT", "DOUBLE", "BOOLEAN", "TIMESTAMP"}
    assert [row[0] for row in last.rows] == sorted(read)
