"""Training an encoder beside the Hugging Face Trainer, and classifying beside `encode`.

    SQLFUNCS_DATA=... python -m benchmarks.training [SEEDS]

Both train MiniLM end to end on the blog's texts with consensus labels: the Trainer with its
defaults (three epochs of batches of eight), ours as fine_tune does. Reading the model and the
texts is not timed in either.
"""

from __future__ import annotations

import sys
import tempfile
import time
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.detection import DATA
from benchmarks.pages import circumstances, write
from sqlfuncs.learning.labels import classes as class_order
from sqlfuncs.learning.models.networks import recipe
from sqlfuncs.learning.models.networks.model import NetworkModel
from sqlfuncs.learning.rows.text import Texts
from sqlfuncs.store import weights

REPEATS = 3


def texts(table: pd.DataFrame) -> Texts:
    """The texts of a table."""
    return Texts(list(table.prompt), np.full(len(table), None, dtype=object))


def trainer(train: pd.DataFrame, test: pd.DataFrame, seed: int) -> tuple[float, float]:
    """Seconds an epoch, and test accuracy, of the Trainer with its defaults."""
    import torch
    from transformers import (
        AutoModelForSequenceClassification,
        AutoTokenizer,
        DataCollatorWithPadding,
        Trainer,
        TrainingArguments,
        set_seed,
    )

    folder = weights.get(weights.MINILM).folder
    words: Any = AutoTokenizer.from_pretrained(folder)
    names = class_order.in_order(train.completion)

    def rows(table: pd.DataFrame) -> list[dict[str, Any]]:
        ids = words(list(table.prompt), truncation=True)["input_ids"]
        codes = class_order.codes(list(table.completion), names)
        return [{"input_ids": i, "labels": int(c)} for i, c in zip(ids, codes, strict=True)]

    set_seed(seed)
    model = AutoModelForSequenceClassification.from_pretrained(folder, num_labels=len(names))
    with tempfile.TemporaryDirectory() as empty:
        arguments = TrainingArguments(
            output_dir=empty,
            seed=seed,
            use_cpu=not torch.cuda.is_available(),
            report_to="none",
            disable_tqdm=True,
        )
        learner = Trainer(
            model=model,
            args=arguments,
            train_dataset=rows(train),
            data_collator=DataCollatorWithPadding(words),
        )
        begun = time.perf_counter()
        learner.train()
        seconds = (time.perf_counter() - begun) / arguments.num_train_epochs
        said = learner.predict(rows(test))  # type: ignore[arg-type]
    guessed = np.asarray(said.predictions).argmax(axis=1)
    return seconds, float((guessed == said.label_ids).mean())


def ours(train: pd.DataFrame, test: pd.DataFrame, seed: int) -> tuple[float, float, NetworkModel]:
    """Seconds an epoch, judging what is held out included; test accuracy; and the model."""
    from sqlfuncs.learning.models.networks import training
    from sqlfuncs.learning.models.networks.network import untrained

    found = weights.get(weights.MINILM)
    names = class_order.in_order(train.completion)
    network = untrained(found, recipe.of_encoder(found.name, found.digest), len(names), seed)
    codes = class_order.codes(list(train.completion), names)
    read = texts(train)
    rows = training.Rows(network.tokens(read.values), codes, np.ones(len(codes), dtype=np.float32))
    epochs: list[int] = []
    begun = time.perf_counter()
    training.train(
        network,
        rows,
        read.groups(read.digests()),
        seed=seed,
        step=lambda done: None,
        keep=lambda progress: epochs.append(progress.epoch),
    )
    seconds = (time.perf_counter() - begun) / epochs[-1]
    model = NetworkModel.from_files(NetworkModel(network).to_files(), len(names))
    probs = model.predict(texts(test))
    right = probs.argmax(axis=1) == class_order.codes(list(test.completion), names)
    return seconds, float(right.mean()), model


def classifying(model: NetworkModel, table: pd.DataFrame) -> tuple[float, float]:
    """Seconds to classify texts, and for sentence-transformers to encode them."""
    from sentence_transformers import SentenceTransformer

    folder = weights.get(weights.MINILM).folder
    encoder = SentenceTransformer(str(folder))
    times: list[tuple[float, float]] = []
    for _ in range(REPEATS):
        begun = time.perf_counter()
        model.predict(texts(table))
        between = time.perf_counter()
        encoder.encode(list(table.prompt), show_progress_bar=False)
        times.append((between - begun, time.perf_counter() - between))
    return min(own for own, _ in times), min(other for _, other in times)


def main(seeds: int) -> None:
    """Train by both with some seeds, and classify."""
    train = pd.read_csv(DATA / "blog_train_consensus.csv")
    test = pd.read_csv(DATA / "blog_test.csv")
    found = []
    for seed in range(seeds):
        own, accuracy, model = ours(train, test, seed)
        other, reference = trainer(train, test, seed)
        found.append((own, accuracy, other, reference))
        print(f"seed {seed}: {own:.1f} s {accuracy:.3f}, Trainer {other:.1f} s {reference:.3f}")
    seconds, accuracy, other, reference = np.mean(found, axis=0)
    classify, encode = classifying(model, train)
    lines = [
        f"| MiniLM on {len(train):,} texts, {seeds} seeds | seconds an epoch | test accuracy |",
        "|---|---|---|",
        f"| Hugging Face Trainer, defaults | {other:.1f} | {reference:.3f} |",
        f"| `fine_tune(..., base := 'minilm')` | {seconds:.1f} ({other / seconds:.1f} x) | "
        f"{accuracy:.3f} |",
        "",
        f"Classifying these texts takes {classify / encode:.2f} x the time of "
        "`SentenceTransformer.encode` alone.",
    ]
    write("training", "\n".join([*lines, "", circumstances()]))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 3)
