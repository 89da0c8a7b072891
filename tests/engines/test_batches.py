from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import duckdb
import pyarrow as pa
import pytest

import sqlfuncs
from sqlfuncs.engines.duckdb import batches, udf
from sqlfuncs.engines.duckdb.connection import use_bare_names

MAPS = pa.map_(pa.string(), pa.float64())


def test_batches_come_back_in_the_order_of_their_numbers() -> None:
    rows = pa.array(
        [
            {"x": [("a", 0.5), ("b", None)], "label": "a"},
            {"x": None, "label": None},
            {"x": [], "label": "é\0🎈"},
            {"x": [("c", 1.0)], "label": ""},
            {"x": [(f"k{i}", 0.1) for i in range(300)], "label": "many keys"},
        ],
        pa.struct([("x", MAPS), ("label", pa.string())]),
    )
    first = batches.pack(pa.array([1, 2]), rows[:2])
    second = batches.pack(pa.array([3, 4]), rows[2:4])
    third = batches.pack(pa.array([5]), rows[4:])
    for order in ([first, second, third], [third, first, second]):
        assert batches.unpack(order).to_pylist() == rows.to_pylist()


def test_rows_in_any_order_within_and_between_batches() -> None:
    rows = pa.array(
        [{"x": [("abcde"[i], 0.1)], "n": i} for i in range(5)],
        pa.struct([("x", MAPS), ("n", pa.int64())]),
    )
    packed = [
        batches.pack(pa.array(numbers), rows.take(pa.array(numbers)))
        for numbers in ([4, 1], [0, 3], [2])
    ]
    assert batches.unpack(packed).to_pylist() == rows.to_pylist()


@pytest.mark.parametrize(
    "keys",
    [
        ("ab", "ab", "ab"),  # shared by all
        ("ab", "ba", "ab"),  # within batches only
        ("ab", "abc", ""),
        ('é"\\\0',) * 3,
        tuple("".join(map(chr, range(0x400, 0x400 + size))) for size in (127, 128, 300)),
    ],
)
@pytest.mark.parametrize("extra", [[], [None], [[]], [[("a", 0.5)]]])
def test_maps_whose_keys_agree_come_back_as_they_were(
    keys: tuple[str, ...], extra: list[object]
) -> None:
    batched = [
        pa.array(
            [{"x": [(key, at + row / 8) for at, key in enumerate(some)]} for row in range(3)]
            + [{"x": map_} for map_ in extra],
            pa.struct([("x", MAPS)]),
        )
        for some in keys
    ]
    packed: list[bytes] = []
    expected: list[object] = []
    for rows in batched:
        numbers = pa.array(range(len(expected), len(expected) + len(rows) - 1))
        packed.append(batches.pack(numbers, rows[1:]))
        expected += rows[1:].to_pylist()
    assert batches.unpack(packed).to_pylist() == expected


VECTORS: dict[str, list[list[float | None] | None]] = {
    "of one length": [[1.0, 2.0], [3.0, float("inf")], [-0.0, 5.0]],
    "of two": [[1.0, 2.0], [3.0], [4.0, 5.0]],
    "with NULL for one": [[1.0, 2.0], None, [4.0, 5.0]],
    "with NULL in one": [[1.0, 2.0], [3.0, None], [4.0, 5.0]],
    "of none": [[], [], []],
}


@pytest.mark.parametrize("case", VECTORS)
@pytest.mark.parametrize("of", [pa.float16(), pa.float32(), pa.float64(), pa.int64()])
@pytest.mark.parametrize(
    "numbers", [((1, 2), (3,)), ((3,), (1, 2)), ((2, 3), (1,)), ((3, 1), (2,))]
)
def test_vectors_come_back_as_they_were(
    case: str, of: pa.DataType, numbers: tuple[tuple[int, ...], ...]
) -> None:
    values = pa.array(VECTORS[case], pa.list_(pa.float64()))
    if of == pa.int64():
        values = pa.array(
            [v and [n if n is None else int(min(n, 9.0)) for n in v] for v in VECTORS[case]]
        )
    rows = pa.StructArray.from_arrays(
        [values.cast(pa.list_(of)), pa.array([1.5, 2.5, 3.5]), values.cast(pa.list_(of))],
        names=["x", "n", "y"],
    )
    packed = [
        batches.pack(pa.array(each), rows.take(pa.array([at - 1 for at in each])))
        for each in numbers
    ]
    assert batches.unpack(packed).to_pylist() == rows.to_pylist()
    assert packed == []


def test_the_packed_form_of_maps_is_little_more_than_their_numbers() -> None:
    rows = pa.array(
        [
            {"x": [(f"class {k}", 0.1) for k in range(10)], "label": f"class {i % 10}"}
            for i in range(2048)
        ],
        pa.struct([("x", MAPS), ("label", pa.string())]),
    )
    assert len(batches.pack(pa.array(range(1, 2049)), rows)) < 2048 * 10 * 8 * 1.15


def test_batches_wait_for_their_query_until_its_connection_asks_again() -> None:
    waiting = batches.Waiting()
    first, other, second = [
        waiting.put(query, bytes([at]))
        for at, query in enumerate([(1, 2, 7), (1, 3, 8), (1, 2, 9)])
    ]
    waiting.forget((1, 2, 9))
    assert waiting.take([second, other]) == [b"\2", b"\1"]
    for gone in (first, second):
        with pytest.raises(LookupError):
            waiting.take([gone])
    kept = waiting.put((1, 2, 9), b"of this query")
    waiting.forget((2, 2, 99))  # another instance counts for itself
    assert waiting.take([kept]) == [b"of this query"]
    stopped = waiting.put((1, 2, 9), b"")
    waiting.forget((1, 2, 9), and_itself=True)
    with pytest.raises(LookupError):
        waiting.take([stopped])


def _held() -> int:
    return len(udf._batches._batches)


@pytest.mark.parametrize("rows", [10, 10_000, 300_000])
def test_a_query_that_fails_leaves_nothing_for_long(
    con: duckdb.DuckDBPyConnection, rows: int
) -> None:
    before = _held()
    con.execute(f"""
        CREATE VIEW broken AS SELECT i, if(i % 2 = 0, 'a', 'b') AS label,
            MAP {{'a': 0.5, 'b': if(i = {rows - 1}, error('broken off'), 0.5)}} AS p
        FROM range({rows}) r(i)
    """)
    for _ in range(3):
        with pytest.raises(duckdb.Error, match="broken off"):
            con.execute("FROM label_issues(broken, p, label)").fetchall()
    left = _held() - before
    assert left <= rows / 2048 + 1
    con.execute("CREATE TABLE few AS FROM broken LIMIT 4")
    con.execute("FROM label_issues(few, p, label)").fetchall()
    assert _held() == before


def test_instances_and_cursors_at_once() -> None:
    """Ids of connections and queries are the same in two instances; rows must not be mixed up."""

    def judge(connection: duckdb.DuckDBPyConnection, share: float) -> set[tuple[float, int]]:
        found = connection.execute(
            f"""
            WITH t AS (SELECT i, if(i % 2 = 0, 'a', 'b') AS label,
                MAP {{'a': {share}, 'b': 1 - {share}}} AS p FROM range(200000) r(i))
            SELECT label_quality, count(*) FROM label_issues(t, p, label) GROUP BY ALL
            """
        )
        return set(found.fetchall())

    with ExitStack() as stack:
        instances = [stack.enter_context(sqlfuncs.connect()) for _ in range(2)]
        connections = [*instances, *(con.cursor() for con in instances)]
        for con in connections[2:]:
            use_bare_names(con)
        with ThreadPoolExecutor(len(connections)) as pool:
            shares = [0.125, 0.25, 0.75, 0.875]
            for found, share in zip(pool.map(judge, connections, shares), shares, strict=True):
                assert found == {(share, 100000), (1 - share, 100000)}


@pytest.mark.parametrize(
    "value",
    [
        "NULL",
        "union_value(n := i)",
        "{'a': [i], 'b': {'c': i}}",
        "MAP {i: [i]}",
        "[i, NULL]::FLOAT[2]",
        "'2020-01-01'::DATE + i::INTEGER",
        "'x'::ENUM ('x', 'y')",
        "i::DECIMAL(30, 3)",
        "uuid()",
        "i::HUGEINT",
        "'01'::BIT",
        "INTERVAL (i) DAY",
        "'{\"a\": 1}'::JSON",
    ],
)
def test_columns_of_every_type_stand_beside_the_results(
    con: duckdb.DuckDBPyConnection, value: str
) -> None:
    con.execute(f"""
        CREATE TABLE t AS SELECT i, {value} AS "it's", if(i % 2 = 0, 'a', 'b') AS label,
            if(i % 2 = 0, MAP {{'a': 0.9, 'b': 0.1}}, MAP {{'a': 0.1, 'b': 0.9}}) AS p
        FROM range(5000) r(i)
    """)
    con.execute("CREATE TABLE found AS FROM label_issues(t, p, label)")
    assert con.execute("DESCRIBE found").fetchall()[:4] == con.execute("DESCRIBE t").fetchall()
    assert con.execute('SELECT i, "it\'s", label, p FROM found').fetchall() == (
        con.execute("FROM t").fetchall()
    )


DRAWN = """
    WITH numbers AS MATERIALIZED (SELECT i, random() AS r FROM range(20000) t(i)),
    drawn AS (
        SELECT i, if(i % 2 = 0, 'a', 'b') AS label, MAP {'a': r, 'b': 1 - r} AS p FROM numbers
    )
"""


def test_rows_are_drawn_once(con: duckdb.DuckDBPyConnection) -> None:
    con.execute(f"CREATE VIEW anew AS {DRAWN} FROM drawn ORDER BY random()")
    wrong = con.execute("""
        SELECT count(*) FILTER (label_quality IS DISTINCT FROM p[label] OR class_probs <> p)
        FROM label_issues(anew, p, label)
    """)
    assert wrong.fetchall() == [(0,)]


def test_a_call_as_x_runs_once_a_row(con: duckdb.DuckDBPyConnection) -> None:
    con.execute(
        "CREATE TABLE t AS SELECT i, if(i % 2 = 0, 'a', 'b') AS label FROM range(9000) r(i)"
    )
    wrong = con.execute("""
        SELECT count(*) FILTER (label_quality IS DISTINCT FROM class_probs[label])
        FROM label_issues(t, map_from_entries([{'k': 'a', 'v': round(random())},
            {'k': 'b', 'v': 0.0}]), label) WHERE not_judged IS NULL
    """)
    assert wrong.fetchall() == [(0,)]


def test_two_calls_over_one_cte(con: duckdb.DuckDBPyConnection) -> None:
    wrong = con.execute(f"""
        {DRAWN}
        SELECT count(*), count(*) FILTER (one.class_probs <> two.class_probs)
        FROM label_issues(drawn, p, label) AS one
        JOIN label_issues(drawn, p, label) AS two USING (i)
    """)
    assert wrong.fetchall() == [(20000, 0)]


@pytest.mark.parametrize(
    "setting", ["threads = 1", "threads = 4", "preserve_insertion_order = false"]
)
def test_results_stand_beside_their_rows(con: duckdb.DuckDBPyConnection, setting: str) -> None:
    con.execute(f"SET {setting}")
    con.execute(f"CREATE TABLE t AS {DRAWN.replace('20000', '400000')} FROM drawn")
    con.execute("CREATE TABLE found AS FROM label_issues(t, p, label)")
    wrong = con.execute("SELECT count(*) FROM found WHERE label_quality <> p[label]").fetchall()
    assert (wrong, con.execute("SELECT count(*) FROM found").fetchall()) == ([(0,)], [(400000,)])


def test_a_filter_outside_and_a_limit(con: duckdb.DuckDBPyConnection) -> None:
    con.execute(f"CREATE TABLE t AS {DRAWN} FROM drawn")
    found = con.execute("""
        SELECT i, label_quality = p[label] FROM label_issues(t, p, label)
        WHERE i % 5000 = 1 AND label = 'b' LIMIT 2 OFFSET 1
    """)
    assert found.fetchall() == [(5001, True), (10001, True)]


def test_an_error_in_the_midst_of_a_table(con: duckdb.DuckDBPyConnection) -> None:
    con.execute(f"CREATE TABLE t AS {DRAWN.replace('20000', '300000')} FROM drawn")
    for _ in range(3):
        with pytest.raises(duckdb.InvalidInputException, match="row 250000"):
            con.execute("""
                FROM label_issues(t, p, if(i = 250000, error('row 250000'), label))
            """)
    assert con.execute("SELECT count(*) FROM label_issues(t, p, label)").fetchall() == [(300000,)]
