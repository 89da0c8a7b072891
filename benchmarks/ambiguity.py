"""Where people will disagree, told from the text alone: by one label of each row, and by votes.

    SQLFUNCS_DATA=... SQLFUNCS_BENCH=... python -m benchmarks.ambiguity

The area under the curve for items on which all annotators agree against those on which they are
divided, as each line says. `audit` is given one annotator's label of each item, `disagreement` all
votes; neither sees the votes on an item when it tells of it. How votes are learned from was tried
on wikipedia (as given), the sample and offensiveness.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from dataclasses import dataclass

import duckdb
import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.metrics import roc_auc_score

import sqlfuncs
from benchmarks.alternatives import DATA
from benchmarks.annotators import POLITENESS
from benchmarks.cuts import TWEETS, git, one_of
from benchmarks.pages import ROOT, circumstances, write

ROWS = 3_000  # of each data set, at most
VARIERR = "mainlp+VariErr-NLI", "HEAD:varierr.json"
OFFENSIVE = "Jiaxin-Pei+Potato-Prolific-Dataset", "HEAD:dataset/offensiveness/raw_data.csv"
ABUSE = "amandacurry+convabuse", "HEAD:1_full/ConvAbuseEMNLPfull.csv"
IMPOLITE, POLITE = 11.5, 17.5
Counts = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Case:
    """Texts and how often each class was said of them: (items, classes).

    `given` (items,) is one annotator's label; `clear` and `split` the items that are told apart.
    """

    title: str
    texts: list[str]
    counts: Counts
    given: Counts
    clear: Mask
    split: Mask


def _case(title: str, texts: pd.Series, counts: Counts, clear: Mask, split: Mask) -> Case:
    """At most ROWS of the items, with a label drawn from the votes on each."""
    drawn = np.random.default_rng(0).permutation(len(counts))[:ROWS]
    kept = texts.astype(str).to_numpy()[drawn].tolist()
    return Case(title, kept, counts[drawn], one_of(counts[drawn], 0), clear[drawn], split[drawn])


def _shares(counts: Counts) -> npt.NDArray[np.float64]:
    """The votes for each item's classes as shares, the largest first."""
    shares: npt.NDArray[np.float64] = -np.sort(-counts, axis=1) / counts.sum(axis=1)[:, None]
    return shares


def _divided(counts: Counts, most: float = 0.7) -> tuple[Mask, Mask]:
    """Items of three votes or more: all alike, and the largest share at most `most`."""
    largest, enough = _shares(counts)[:, 0], counts.sum(axis=1) >= 3
    return enough & (largest == 1), enough & (largest <= most)


def politeness(corpus: str) -> tuple[pd.DataFrame, Counts]:
    """The requests of a corpus, and how many of five annotators call each what."""
    repository, name = POLITENESS
    table = pd.read_csv(io.BytesIO(git(repository, "show", name.replace("wikipedia", corpus))))
    scores = table[[f"Score{at}" for at in range(1, 6)]].to_numpy(dtype=np.float64)
    classes = (scores > IMPOLITE).astype(np.int64) + (scores > POLITE)
    return table, np.stack([(classes == at).sum(axis=1) for at in range(3)], axis=1)


def wikipedia_as_given(con: duckdb.DuckDBPyConnection) -> Iterator[Case]:
    """The draw with one annotator's label, which leaves out rows where the other four are tied."""
    rows = con.execute(DATA["wikipedia"].replace("text, label, true_label", "*")).df()
    table, counts = politeness("wikipedia")
    place = {f"Wikipedia:{name}": at for at, name in enumerate(table["Id"])}
    votes = counts[[place[name] for name in rows["id"]]]
    codes = rows.label.map({"impolite": 0, "neutral": 1, "polite": 2})
    given: Counts = np.asarray(codes, dtype=np.int64)
    largest = _shares(votes)
    clear = largest[:, 0] == 1
    split = (largest[:, 0] == 3 / 5) & (largest[:, 1] == 2 / 5)
    texts = rows.text.tolist()
    yield Case("wikipedia as given, 5:0 against 3:2", texts, votes, given, clear, split)
    others = rows.votes_for_true.to_numpy()
    title = "the same, the other four: 4 of one mind against 2"
    yield Case(title, texts, votes, given, others == 4, others == 2)


def corpora() -> Iterator[Case]:
    """Requests with a label drawn from all five."""
    for corpus in ("wikipedia", "stack-exchange"):
        table, counts = politeness(corpus)
        shares = _shares(counts)
        split = (shares[:, 0] == 3 / 5) & (shares[:, 1] == 2 / 5)
        title = f"{corpus}, 5:0 against 3:2"
        yield _case(title, table["Request"], counts, shares[:, 0] == 1, split)


def sample() -> Case:
    """The bundled sample: synthetic, three annotators an item."""
    texts = pd.read_csv(ROOT / "data" / "support_requests.csv").set_index("id").text
    votes = pd.read_csv(ROOT / "data" / "support_requests_votes.csv")
    counts = pd.crosstab(votes.id, votes.label)
    table = counts.to_numpy(dtype=np.int64)
    return _case(
        "the sample, 3 votes or more: all alike or not",
        texts[counts.index],
        table,
        *_divided(table),
    )


def tweets() -> Case:
    """Tweets of three votes."""
    table = pd.read_csv(io.BytesIO(git(TWEETS[0], "show", f"HEAD:{TWEETS[1]}")))
    table = table[table["count"] == 3]
    counts = table[["hate_speech", "offensive_language", "neither"]].to_numpy(dtype=np.int64)
    return _case("tweets, 3:0 against 2:1", table.tweet, counts, *_divided(counts))


def offensiveness() -> Case:
    """POPQUORN: comments, 1, 2, or 3 and more of 5 for how offensive they are, by nine people."""
    table = pd.read_csv(io.BytesIO(git(OFFENSIVE[0], "show", OFFENSIVE[1])))
    table = table.dropna(subset=["offensiveness"])
    counts = pd.crosstab(table.instance_id, np.clip(table.offensiveness.round(), 1, 3))
    texts = table.drop_duplicates("instance_id").set_index("instance_id").text
    spread = 1 - (_shares(counts.to_numpy(dtype=np.int64)) ** 2).sum(axis=1)
    low, high = np.quantile(spread, [1 / 3, 2 / 3])
    return _case(
        "offensiveness, the third most of one mind against the most divided",
        texts[counts.index],
        counts.to_numpy(dtype=np.int64),
        spread <= low,
        spread >= high,
    )


def abuse() -> Case:
    """ConvAbuse: what users say to a program; no abuse, unclear, abuse; 3 to 8 people."""
    table = pd.read_csv(io.BytesIO(git(ABUSE[0], "show", ABUSE[1])))
    grades = table[[f"is_abuse.{grade}" for grade in (1, 0, -1, -2, -3)]].to_numpy()
    said = table.agent.fillna("") + "\n" + table.user.fillna("")
    table = table.assign(text=said, code=np.minimum(grades.argmax(axis=1), 2))
    # Some people were asked twice, to see whether they agree with themselves.
    table = table[grades.sum(axis=1) == 1].drop_duplicates(["text", "annotator_id"])
    counts = pd.crosstab(table.text, table.code)
    counts = counts[counts.sum(axis=1).between(3, 8)]
    votes = counts.to_numpy(dtype=np.int64)
    title = "abuse, all alike against at most .7"
    return _case(title, counts.index.to_series(), votes, *_divided(votes))


def entailment() -> Iterator[Case]:
    """VariErr: pairs of sentences, by four people with reasons, and by a hundred (ChaosNLI)."""
    rows = [json.loads(line) for line in git(VARIERR[0], "show", VARIERR[1]).splitlines()]
    texts = pd.Series([f"{row['context']}\n{row['statement']}" for row in rows])
    names = ("entailment", "neutral", "contradiction")
    four = np.array(
        [[int(row["label_count_round_1"][name] or 0) for name in names] for row in rows]
    )
    said = np.array([[row["chaosnli_labels"].get(name[0], 0) for name in names] for row in rows])
    yield _case("VariErr, four people: all alike against at most .7", texts, four, *_divided(four))
    largest = _shares(said)[:, 0]
    title = "VariErr, a hundred people: .8 or more alike against less than .6"
    yield _case(title, texts, said, largest >= 0.8, largest < 0.6)


def cases(con: duckdb.DuckDBPyConnection) -> Iterator[Case]:
    """All of them."""
    yield from wikipedia_as_given(con)
    yield sample()
    yield offensiveness()
    yield from corpora()
    yield tweets()
    yield abuse()
    yield from entailment()


def measured(con: duckdb.DuckDBPyConnection, case: Case) -> tuple[float, float, float]:
    """The areas under the curve of is_ambiguous, ambiguity and expected_disagreement."""
    names = [f"class {at}" for at in range(case.counts.shape[1])]
    items = pd.DataFrame({"item": range(len(case.texts)), "text": case.texts})
    items["label"] = [names[code] for code in case.given]
    at, code = np.nonzero(case.counts)
    at, code = (np.repeat(each, case.counts[at, code]) for each in (at, code))
    votes = pd.DataFrame({"item": at, "label": np.array(names, dtype=object)[code]})
    votes["annotator"] = votes.groupby("item").cumcount()
    con.register("items", items)
    con.register("votes", votes.merge(items[["item", "text"]], on="item"))
    one = con.execute("FROM audit(items, text, label)").df().sort_values("item")
    all_votes = con.execute(
        "SELECT * FROM disagreement(votes, item, annotator, label, text) ORDER BY item"
    ).df()
    rows = (case.clear | case.split) & np.isin(items["item"], all_votes["item"])
    expected = np.full(len(items), np.nan)
    expected[all_votes["item"]] = all_votes.expected_disagreement
    scores = (one.is_ambiguous.astype(float), one.ambiguity, expected)
    found = [roc_auc_score(case.split[rows], np.asarray(score)[rows]) for score in scores]
    return found[0], found[1], found[2]


def main() -> None:
    """A line for each data set."""
    lines = [
        "| items on which people agree, against those on which they are divided | of these | "
        "`is_ambiguous`, one label | `ambiguity`, one label | `expected_disagreement`, votes |",
        "|---|---|---|---|---|",
    ]
    with sqlfuncs.connect() as con:
        for case in cases(con):
            shown = " | ".join(f"{area:.3f}" for area in measured(con, case))
            many = f"{case.clear.sum():,} and {case.split.sum():,}"
            lines.append(f"| {case.title} | {many} | {shown} |")
            print(lines[-1], flush=True)
    write("ambiguity", "\n".join([*lines, "", circumstances()]))


if __name__ == "__main__":
    main()
