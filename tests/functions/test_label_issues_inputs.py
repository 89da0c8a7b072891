"""`label_issues` on rows that are tuples of fields, and on images."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pandas as pd
import pytest
from sklearn.datasets import load_breast_cancer, load_wine
from sklearn.metrics import roc_auc_score

from tests.functions.pictures import digits, flipped, shapes


def _load(con: duckdb.DuckDBPyConnection, frame: pd.DataFrame) -> None:
    con.register("frame", frame)
    con.execute("CREATE OR REPLACE TABLE given AS SELECT row_number() OVER () AS id, * FROM frame")
    con.unregister("frame")


def _auroc(con: duckdb.DuckDBPyConnection, x: str) -> float:
    found = con.execute(f"FROM label_issues(given, {x}, label)").df()
    return float(roc_auc_score(found.label != found.true_label, -found.label_quality))


@pytest.mark.parametrize("load", [load_wine, load_breast_cancer])
def test_wrong_labels_of_tabular_rows(con: duckdb.DuckDBPyConnection, load: object) -> None:
    assert callable(load)
    data = load(as_frame=True)
    names = [f"f{at}" for at in range(data.data.shape[1])]
    true = [f"class {code}" for code in data.target]
    frame = data.data.set_axis(names, axis=1)
    _load(con, frame.assign(label=flipped(true, 0.2), true_label=true))
    assert _auroc(con, "{" + ", ".join(f"{name}: {name}" for name in names) + "}") > 0.97


@pytest.mark.slow
def test_order_and_threads_do_not_change_a_bit(con: duckdb.DuckDBPyConnection) -> None:
    con.execute("""
        CREATE TABLE t AS SELECT i AS id, hash(i) % 100 AS n, 'c' || hash(i + 7) % 5 AS c,
            if(hash(i + 9) % 9 = 0, NULL, i % 3) AS m, (i % 3)::VARCHAR AS label
        FROM range(150) r(i);
        CREATE TABLE shuffled AS FROM t ORDER BY hash(id);
    """)
    call = "FROM label_issues({}, {{n: n, c: c, m: m}}, label) ORDER BY id"
    expected = con.execute(call.format("t")).fetchall()
    assert con.execute(call.format("shuffled")).fetchall() == expected
    con.execute("SET threads = 1")
    assert con.execute(call.format("t")).fetchall() == expected


def test_wrong_labels_of_images_in_files_and_in_the_table(
    con: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    files, names = shapes(240)
    paths = [tmp_path / f"{number:03}.png" for number in range(len(files))]
    for path, content in zip(paths, files, strict=True):
        path.write_bytes(content)
    frame = pd.DataFrame({"path": [str(path) for path in paths], "true_label": names})
    _load(con, frame.assign(label=flipped(names, 0.2)))
    assert _auroc(con, "path") > 0.9
    con.execute(f"""
        CREATE TABLE pictures AS SELECT * EXCLUDE (path), content AS picture
        FROM given JOIN read_blob('{tmp_path}/*.png') AS files ON files.filename = path
    """)
    same = con.execute("""
        SELECT count(*) FROM label_issues(given, path, label) AS a
        JOIN label_issues(pictures, picture, label) AS b USING (id)
        WHERE a.label_quality = b.label_quality
    """)
    assert same.fetchall() == [(240,)]


def test_an_unreadable_image_keeps_its_place_and_the_rest_is_judged(
    con: duckdb.DuckDBPyConnection,
) -> None:
    files, names = shapes(60)
    contents = [files[0][:200], b"", None, b"text", *files[4:]]
    _load(con, pd.DataFrame({"picture": contents, "label": names}))
    con.execute("ALTER TABLE given ALTER picture TYPE BLOB")
    found = con.execute("SELECT id, not_judged FROM label_issues(given, picture, label)").fetchall()
    assert found[:4] == [
        (1, "the image is damaged or cut off"),
        (2, "the image is empty"),
        (3, "the image is NULL"),
        (4, "the image is in no format that can be read"),
    ]
    assert {why for _, why in found[4:]} == {None}


@pytest.mark.slow
def test_wrong_labels_of_handwritten_digits(con: duckdb.DuckDBPyConnection) -> None:
    files, names = digits()
    frame = pd.DataFrame({"picture": files, "true_label": names})
    _load(con, frame.assign(label=flipped(names, 0.1)))
    assert _auroc(con, "picture") > 0.99
