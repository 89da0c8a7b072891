"""`label_issues` on fields of which some are free text: read beside the numbers and categories."""

from __future__ import annotations

from collections.abc import Iterator

import duckdb
import pytest
from sklearn.metrics import average_precision_score

from sqlfuncs import work
from tests.conftest import needs_local

# A third of the labels is told by words, a third by a number, all of them by both.
MIXED = """
    CREATE OR REPLACE TABLE t AS
    SELECT i AS id, ['billing', 'delivery', 'product'][1 + i % 3] AS truth,
        if(i % 23 = 5, ['billing', 'delivery', 'product'][1 + (i + 1) % 3], truth) AS label,
        if(i % 3 = 0, 'the invoice', 'the parcel') || ' of ' || ['my', 'our', 'her'][1 + i % 7 % 3]
            || ' order ' || i || ' is wrong' AS body,
        if(i % 11 = 0, NULL, 'a question about order ' || i) AS subject,
        if(i % 3 = 1, 10, 0) + hash(i) % 5 AS amount, 'K-' || i AS key
    FROM range(300) r(i)
"""
X = "{subject: subject, body: body, amount: amount}"


@pytest.fixture
def mixed(con: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    """The table `t`."""
    con.execute(MIXED)
    return con


@pytest.fixture
def remarks() -> Iterator[list[str]]:
    heard: list[str] = []

    class Listener(work.Quiet):
        def show(self, message: str) -> None:
            heard.append(message)

    with work.listening(Listener()):
        yield heard


def _precision(con: duckdb.DuckDBPyConnection, x: str, table: str = "t") -> float:
    """Average precision of the wrong labels among the worst ones."""
    found = con.execute(f"FROM label_issues({table}, {x}, label)").df()
    assert found.not_judged.isna().all()
    return float(average_precision_score(found.label != found.truth, -found.label_quality))


@pytest.mark.slow
def test_texts_and_numbers_tell_together_what_neither_does(
    mixed: duckdb.DuckDBPyConnection, remarks: list[str]
) -> None:
    alone = [_precision(mixed, x) for x in ("{body: body}", "{amount: amount}")]
    assert max(alone) < 0.9
    assert _precision(mixed, X) > 0.95
    assert not [said for said in remarks if "left out" in said]
    assert _precision(mixed, "{body: body, amount: amount, key: key}") > 0.95
    assert any("key: it is text of 300 different values" in said for said in remarks)


@pytest.mark.slow
def test_order_and_threads_do_not_change_a_bit(mixed: duckdb.DuckDBPyConnection) -> None:
    mixed.execute("CREATE TABLE shuffled AS FROM t ORDER BY hash(id)")
    expected = mixed.execute(f"FROM label_issues(t, {X}, label) ORDER BY id").fetchall()
    call = f"FROM label_issues(shuffled, {X}, label) ORDER BY id"
    assert mixed.execute(call).fetchall() == expected
    mixed.execute("SET threads = 1")
    assert mixed.execute(call).fetchall() == expected


def test_missing_texts(mixed: duckdb.DuckDBPyConnection) -> None:
    mixed.execute("""
        UPDATE t SET body = NULL WHERE id < 20;
        UPDATE t SET subject = NULL, amount = NULL WHERE id < 10;
        UPDATE t SET subject = '  ' WHERE id = 5
    """)
    found = mixed.execute(
        f"SELECT id, not_judged FROM label_issues(t, if(id = 7, NULL, {X}), label) "
        "WHERE not_judged IS NOT NULL ORDER BY id"
    ).fetchall()
    nothing = "all fields are NULL or blank"
    assert found == [(at, "the row is NULL" if at == 7 else nothing) for at in range(10)]


def test_that_a_text_is_missing_is_evidence(mixed: duckdb.DuckDBPyConnection) -> None:
    mixed.execute("""
        UPDATE t SET subject = if(truth = 'product', NULL, subject), body = 'nothing in ' || id
    """)
    found = mixed.execute("SELECT * FROM label_issues(t, {s: subject, b: body}, label)").df()
    products = found[found.truth == "product"]
    assert (products.predicted_label == "product").all()


@pytest.mark.parametrize(
    "texts",
    [
        "subject: NULL::VARCHAR, body: body",
        "subject: 'the same words', body: body",
        "subject: '日本語の質問' || id, body: body",
        '"it\'s ""q"" 🎈": subject, body: body',
        "a: {b: 1}, body: body",
    ],
)
def test_odd_fields(mixed: duckdb.DuckDBPyConnection, texts: str) -> None:
    assert _precision(mixed, f"{{{texts}, amount: amount}}") > 0.9


def test_no_rows(mixed: duckdb.DuckDBPyConnection) -> None:
    mixed.execute("DELETE FROM t")
    with pytest.raises(duckdb.Error, match="the table has no rows"):
        mixed.execute(f"FROM label_issues(t, {X}, label)")


def test_an_encoder_reads_the_texts_and_is_refused_without_any(
    mixed: duckdb.DuckDBPyConnection,
) -> None:
    with pytest.raises(duckdb.Error, match=r"of which none is free text, may have model := 'fast'"):
        mixed.execute("FROM label_issues(t, {amount: amount}, label, model := 'minilm')")
    with pytest.raises(duckdb.Error, match="none-such"):
        mixed.execute(f"FROM label_issues(t, {X}, label, model := './none-such')")


@needs_local
def test_the_encoder_by_its_name_is_what_fast_has(mixed: duckdb.DuckDBPyConnection) -> None:
    call = f"SELECT label_quality FROM label_issues(t, {X}, label, model := $1) ORDER BY id"
    fast, named = (mixed.execute(call, [model]).fetchall() for model in ("fast", "minilm"))
    assert fast == named


def test_votes_beside_texts_and_numbers(mixed: duckdb.DuckDBPyConnection) -> None:
    x = "{subject: subject, amount: amount}"
    mixed.execute("""
        ALTER TABLE t ADD COLUMN vote VARCHAR;
        UPDATE t SET vote = if(hash(id) % 5 = 0, 'x', truth)
    """)
    found = mixed.execute(f"FROM label_issues(t, {x}, label, votes := [vote])").df()
    voted = average_precision_score(found.label != found.truth, -found.label_quality)
    assert voted > _precision(mixed, x) + 0.1


def _split(sample: duckdb.DuckDBPyConnection) -> None:
    """The bundled sample, with its texts cut in two and columns that tell nothing."""
    sample.execute("""
        CREATE TABLE t AS
        SELECT id, label, true_label AS truth, text, string_split(text, ' ') AS words,
            array_to_string(words[:len(words) // 2], ' ') AS subject,
            array_to_string(words[len(words) // 2 + 1:], ' ') AS body,
            hash(id) % 1000 AS noise, hash(id + 1) % 7 AS more, 'c' || hash(id + 2) % 9 AS other
        FROM requests
    """)


@pytest.mark.slow
def test_a_struct_of_one_text_is_as_good_as_the_text(sample: duckdb.DuckDBPyConnection) -> None:
    _split(sample)
    text = _precision(sample, "text")
    assert _precision(sample, "{text: text}") > text - 0.005
    assert _precision(sample, "{text: text, noise: noise, more: more, other: other}") > text - 0.01
    assert _precision(sample, "{subject: subject, body: body}") > text - 0.03


def test_the_same_text_with_other_numbers_is_not_learned_from_before_it_is_judged(
    con: duckdb.DuckDBPyConnection,
) -> None:
    """Some texts stand there twice, and nothing but the other one would foretell their label."""
    con.execute("""
        CREATE TABLE t AS
        SELECT if(i < 80, i // 2, i) AS same, hash(same) % 2 = 0 AS label, hash(i) % 999 AS n,
            'words of ' || md5(same::VARCHAR) || ' and ' || md5('b' || same) AS body
        FROM range(200) r(i)
    """)
    found = con.execute("FROM label_issues(t, {body: body, n: n}, label)").df()
    twins = found[found.same < 40]
    assert len(twins) == 80
    assert (twins.predicted_label == twins.label).mean() < 0.65


def test_hundreds_of_texts(con: duckdb.DuckDBPyConnection) -> None:
    texts = ", ".join(f"t{at}: 'row ' || i || ' no'" for at in range(299))
    con.execute(f"""
        CREATE TABLE t AS
        SELECT i AS id, ['bill', 'parcel'][1 + i % 2] AS truth, if(i = 7, 'bill', truth) AS label,
            {{first: 'about my ' || truth || ' ' || i, {texts}}} AS x
        FROM range(50) r(i)
    """)
    found = con.execute("SELECT id FROM label_issues(t, x, label) WHERE is_label_issue").fetchall()
    assert found == [(7,)]


def test_more_texts_than_are_read_by_themselves(con: duckdb.DuckDBPyConnection) -> None:
    """What the last one says is found in all of them, read as one."""
    texts = ", ".join(f"t{at}: 'nothing in ' || i * {at + 3} % 101" for at in range(5))
    con.execute(f"""
        CREATE TABLE t AS
        SELECT i AS id, ['bill', 'parcel'][1 + i % 2] AS truth, if(i = 7, 'bill', truth) AS label,
            {{{texts}, last: 'about my ' || truth || ' ' || i}} AS x
        FROM range(60) r(i)
    """)
    found = con.execute("SELECT id FROM label_issues(t, x, label) WHERE is_label_issue").fetchall()
    assert found == [(7,)]
