from __future__ import annotations

from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pytest

from sqlfuncs.errors import BadOption
from sqlfuncs.learning.models.class_target import ClassTarget
from sqlfuncs.learning.models.networks.recipe import Recipe
from sqlfuncs.learning.models.networks.refitted import Refitted
from sqlfuncs.learning.models.out_of_sample import out_of_sample, prepare
from sqlfuncs.learning.rows.voters import Votes
from sqlfuncs.store import weights
from tests.conftest import needs_local
from tests.learning.models.networks import tiny
from tests.learning.models.networks.test_training import CODES, TEXTS

pytestmark = [needs_local, pytest.mark.slow]


def test_rows_are_judged_by_networks_that_never_saw_them(tmp_path: Path) -> None:
    from sqlfuncs.learning.rows.text import Texts

    found = weights.get(str(tiny.encoder(tmp_path / "base", seed=0)))
    recipe = Recipe(found.name, found.digest, epochs=4, rate=5e-3, head_rate=5e-2)
    rows = Texts(TEXTS, np.full(len(TEXTS), None, dtype=object))
    wrong = np.zeros(len(CODES), dtype=bool)
    wrong[5::13] = True
    given = np.where(wrong, 1 - CODES, CODES)
    given[:3] = -1
    prepared = prepare(rows, ClassTarget(given, 2), recipe)
    assert isinstance(prepared.features, Refitted)
    probs, reasons, _ = out_of_sample(prepared, folds=3, seed=0)
    assert all(reason is None for reason in reasons)
    assert np.allclose(probs.sum(axis=1), 1)
    # One that had seen the wrong labels could predict them.
    assert (probs.argmax(axis=1) == CODES)[wrong].mean() > 0.7


def test_votes_are_not_learned_beside_networks() -> None:
    from sqlfuncs.learning.rows.text import Texts

    recipe = Recipe("any", "digest")
    rows = Texts(TEXTS, np.full(len(TEXTS), None, dtype=object))
    votes = Votes.read(pa.array(CODES))
    with pytest.raises(BadOption, match="votes are learned beside heads"):
        prepare(rows, ClassTarget(CODES, 2), recipe, votes)


def test_a_model_of_ours_may_judge_labels(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    base = tiny.encoder(tmp_path / "base", seed=0)
    texts, labels = tiny.rows(200)
    labels[7] = {"delivery": "billing", "billing": "delivery"}[labels[7]]
    con.execute(
        "CREATE TABLE t AS SELECT unnest($1) AS text, unnest($2) AS label, unnest(range(200)) AS n",
        [texts, labels],
    )
    con.execute("FROM fine_tune('mine', t, text, label, base := $1)", [str(base)])
    one = con.execute("FROM label_issues(t, text, label, model := 'mine', folds := 2)").df()
    assert one["class_probs"].notna().all()
    pinned = con.execute("FROM label_issues(t, text, label, model := 'mine@1', folds := 2)").df()
    assert pinned.equals(one)
    con.execute("CREATE TABLE shuffled AS FROM t ORDER BY hash(n)")
    other = con.execute(
        "FROM label_issues(shuffled, text, label, model := 'mine', folds := 2)"
    ).df()
    assert other.sort_values("n").reset_index(drop=True).equals(one)
    with pytest.raises(duckdb.Error, match="there is no version 2 of 'mine'"):
        con.execute("FROM label_issues(t, text, label, model := 'mine@2')")
    with pytest.raises(duckdb.Error, match="it cannot read embeddings"):
        con.execute("FROM label_issues(t, [n, 1.0, 2.0], label, model := 'mine')")


def test_a_model_of_heads_judges_as_its_base_does(sample: duckdb.DuckDBPyConnection) -> None:
    sample.execute("CREATE TABLE few AS FROM requests LIMIT 200")
    sample.execute("FROM fine_tune('mine', few, text, label)")
    call = "SELECT label_quality FROM label_issues(few, text, label, model := '{}')"
    mine = sample.execute(call.format("mine")).fetchall()
    assert mine == sample.execute(call.format("fast")).fetchall()
