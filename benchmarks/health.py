"""How near estimates of the share of wrong labels come to the truth, where that is known.

    SQLFUNCS_DATA=... python -m benchmarks.health

Labels are those given by people (the sample's are simulated), and true labels of which a known
share was replaced: by any other class alike, or by the next one only.
"""

from __future__ import annotations

from collections import defaultdict

import numpy as np
import numpy.typing as npt
from cleanlab.count import compute_confident_joint

import sqlfuncs
from benchmarks.detection import DATA, TABLES
from benchmarks.pages import ROOT, circumstances, write
from sqlfuncs.learning.detection import confident, health, noise
from sqlfuncs.learning.labels.classes import Codes
from sqlfuncs.learning.rows.base import Floats

SOURCES = {"sample": f"FROM '{ROOT}/data/support_requests.csv'"} | {
    name: train for name, (train, _) in TABLES.items() if DATA.is_dir()
}
RATES = (0.05, 0.1, 0.2, 0.3)
GIVEN, CLEAN, EVEN, NEXT = "labels as given", "no noise", "even noise", "noise to the next class"


def replaced(true: Codes, classes: int, rate: float, to_next: bool) -> Codes:
    """Labels of which about a share `rate` is wrong."""
    random = np.random.default_rng(0)
    by = np.ones(len(true), int) if to_next else random.integers(1, classes, len(true))
    return np.where(random.random(len(true)) < rate, (true + by) % classes, true)


def candidates(codes: Codes, probs: Floats) -> dict[str, Floats]:
    """Estimated error rates of each class, by name of the estimate."""
    classes = probs.shape[1]
    rows = np.arange(len(codes))

    def by_class(wrong: npt.ArrayLike) -> Floats:
        counts = np.bincount(codes, minlength=classes)
        means: Floats = np.bincount(codes, wrong, classes) / np.maximum(1, counts)
        return means

    seen = noise.evidence(codes, probs)
    transition = noise.transition_matrix(codes, probs)
    posterior = noise.true_class_probabilities(codes, probs, transition)
    careful = noise.careful_correction(codes, probs).apply(codes, probs)
    joint = compute_confident_joint(codes, probs, calibrate=True).astype(float)
    ours = health.health(codes, probs)
    return {
        "share flagged": by_class(confident.find(codes, probs, "auto", "auto").flagged),
        "share not predicted": by_class(probs.argmax(axis=1) != codes),
        "1 - mean probability": by_class(1 - probs[rows, codes]),
        "cleanlab's calibrated confident joint": health.error_rates(joint),
        "`noise.careful_correction`": by_class(1 - careful[rows, codes]),
        "posterior, transition matrix": by_class(1 - posterior[rows, codes]),
        "posterior, noise of the surest rows": health.error_rates(
            health.posterior_joint(codes, probs, transition, seen.noise)
        ),
        "`label_health`": ours.error_rate,
        "low": ours.low,
        "high": ours.high,
    }


def cases(true: Codes, given: Codes, classes: int) -> list[tuple[str, Codes]]:
    """Labels to judge, each with the kind of its noise."""
    return [
        (GIVEN, given),
        (CLEAN, true),
        *((EVEN, replaced(true, classes, rate, False)) for rate in RATES),
        *((NEXT, replaced(true, classes, rate, True)) for rate in RATES),
    ]


def main() -> None:
    """Print mean absolute errors, and how often the interval holds the truth."""
    off: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    held: dict[str, list[float]] = defaultdict(list)
    width: dict[str, list[float]] = defaultdict(list)
    shares: list[tuple[str, float, float]] = []
    with sqlfuncs.connect() as con:
        for source, statement in SOURCES.items():
            con.execute(f"CREATE OR REPLACE TABLE read AS {statement}")
            table = con.execute("SELECT text, label, true_label FROM read").df()
            names = sorted({*table.label, *table.true_label})
            given, true = (
                np.searchsorted(names, table[column].to_numpy(str))
                for column in ("label", "true_label")
            )
            for kind, codes in cases(true, given, len(names)):
                table["judged"] = codes
                con.register("frame", table)
                con.execute("CREATE OR REPLACE TABLE t AS SELECT text, judged FROM frame")
                maps = con.execute("SELECT class_probs FROM label_issues(t, text, judged)")
                probs = np.array([list(row[0].values()) for row in maps.fetchall()])
                counts = np.bincount(codes, minlength=len(names))
                truth = np.bincount(codes, codes != true, len(names)) / counts
                found = candidates(codes, probs)
                low, high = found.pop("low"), found.pop("high")
                column = f"{source}: {kind}" if kind == GIVEN else kind
                for name, rates in found.items():
                    off[name][column].append(np.average(np.abs(rates - truth), weights=counts))
                inside = (low <= truth) & (truth <= high)
                held[column].extend(inside)
                width[column].extend(high - low)
                said = np.average(found["`label_health`"], weights=counts)
                shares.append(
                    (f"{source}, {kind}", float(np.average(truth, weights=counts)), float(said))
                )
    columns = list(held)
    lines = [
        "| mean absolute error of the share wrong, by class | " + " | ".join(columns) + " | mean |",
        "|---" * (len(columns) + 2) + "|",
    ]
    for name, errors in off.items():
        means = [float(np.mean(errors[column])) for column in columns]
        figures = " | ".join(f"{mean:.3f}" for mean in [*means, float(np.mean(means))])
        lines.append(f"| {name} | {figures} |")
    for title, figure in (("interval holds the truth", held), ("width of the interval", width)):
        means = [float(np.mean(figure[column])) for column in columns]
        figures = " | ".join(f"{mean:.2f}" for mean in [*means, float(np.mean(means))])
        lines.append(f"| {title} | {figures} |")
    told = "; ".join(f"{c} {t:.3f}, said {s:.3f}" for c, t, s in shares)
    lines += ["", f"Over all classes, share wrong: {told}.", "", circumstances()]
    write("health", "\n".join(lines))


if __name__ == "__main__":
    main()
