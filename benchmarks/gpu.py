"""What a GPU gains: reading, finding wrong labels, and a language model's labels.

    python -m benchmarks.gpu

Models have the sizes of those in use and random weights, made on the spot: nothing is downloaded,
and speed does not depend on what weights hold. Without a GPU it says so, and runs all of it on
the processor with few texts, which proves the path and measures nothing.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import sqlfuncs
from benchmarks.pages import circumstances, write
from sqlfuncs.learning.encoders.device import CPU, devices
from sqlfuncs.llm.local import LocalProvider
from sqlfuncs.llm.task import Task

READ, LABELLED, FEW = 22_000, 5_000, 200
LABELS = ["delivery", "billing", "account"]
BATCH = 32  # prompts, of the plain way
WORDS = [first + last for first in "bcdfghjklmnpqrstvwz" for last in ("ado", "eli", "inum", "oris")]
EMBED = "SELECT count(embed(text, model := '{model}')) FROM texts"
ISSUES = "SELECT count(*) FROM label_issues(texts, text, label, model := '{model}')"


@dataclass(frozen=True)
class Size:
    """How many texts, and how wide and deep the models are."""

    read: int
    labelled: int
    encoder: tuple[int, int, int]  # width, layers, heads
    causal: tuple[int, int, int]


# Of all-MiniLM-L6-v2 and SmolLM2-135M; and so small that a processor runs them at once.
WHOLE = Size(READ, LABELLED, (384, 6, 12), (576, 30, 9))
SMALL = Size(FEW, FEW, (64, 2, 4), (64, 6, 4))


def texts_of(count: int) -> list[str]:
    """Different texts of 5 to 80 words, most of them short."""
    rng = np.random.default_rng(0)
    lengths = np.minimum(5 + rng.exponential(20, count).astype(int), 80)
    return [f"{' '.join(rng.choice(WORDS, length))} {at}" for at, length in enumerate(lengths)]


def tokenizer() -> Any:
    """A word of ours is a token, and so is a digit."""
    from tokenizers import Regex, Tokenizer
    from tokenizers.models import WordLevel
    from tokenizers.pre_tokenizers import Sequence as Both
    from tokenizers.pre_tokenizers import Split, Whitespace
    from transformers import PreTrainedTokenizerFast

    known = ["[PAD]", "[UNK]", *"0123456789", *WORDS, *LABELS]
    words = Tokenizer(WordLevel({word: at for at, word in enumerate(known)}, unk_token="[UNK]"))
    words.pre_tokenizer = Both([Whitespace(), Split(Regex(r"\d"), "isolated")])
    return PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_object=words,
        unk_token="[UNK]",
        pad_token="[PAD]",
        eos_token="[PAD]",
        model_max_length=256,
    )


def encoder(folder: Path, size: tuple[int, int, int]) -> Path:
    """A sentence encoder of random weights, saved in `folder`."""
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Pooling, Transformer
    from transformers import BertConfig, BertModel

    width, layers, heads = size
    config = BertConfig(
        vocab_size=30_522,
        hidden_size=width,
        num_hidden_layers=layers,
        num_attention_heads=heads,
        intermediate_size=4 * width,
    )
    bare = folder / "bert"
    BertModel(config).save_pretrained(bare)
    tokenizer().save_pretrained(bare)
    read = Transformer(str(bare), max_seq_length=256)
    SentenceTransformer(modules=[read, Pooling(width)], device="cpu").save(str(folder / "encoder"))
    return folder / "encoder"


def causal(folder: Path, size: tuple[int, int, int]) -> Path:
    """A causal language model of random weights in bfloat16, saved in `folder`."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    width, layers, heads = size
    config = LlamaConfig(
        vocab_size=49_152,
        hidden_size=width,
        num_hidden_layers=layers,
        num_attention_heads=heads,
        num_key_value_heads=heads // 3 or 1,
        intermediate_size=8 * width // 3,
        tie_word_embeddings=True,
    )
    LlamaForCausalLM(config).to(torch.bfloat16).save_pretrained(folder / "causal")  # type: ignore[arg-type]
    tokenizer().save_pretrained(folder / "causal")
    return folder / "causal"


@contextmanager
def environment(**given: str) -> Iterator[None]:
    """The environment, with these in it for a while."""
    before = dict(os.environ)
    os.environ.update(given)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def seconds(call: Callable[[], object]) -> float:
    """How long a call takes, with all that it has begun on a GPU."""
    begun = time.perf_counter()
    call()
    return time.perf_counter() - begun


def query(texts: Sequence[str], statement: str) -> float:
    """The seconds of a statement about texts, in an empty home: nothing is cached."""
    import pyarrow as pa

    columns = {"text": list(texts), "label": [LABELS[len(text) % 3] for text in texts]}
    with (
        tempfile.TemporaryDirectory() as home,
        environment(SQLFUNCS_HOME=home),
        sqlfuncs.connect() as con,
    ):
        con.register("given", pa.table(columns))
        con.execute("CREATE TABLE texts AS FROM given")
        return seconds(lambda: con.execute(statement).fetchall())


def embedding(model: Path, texts: Sequence[str], on: str) -> list[str]:
    """The line about `embed`, beside `SentenceTransformer.encode` with its defaults."""
    from sentence_transformers import SentenceTransformer

    theirs = SentenceTransformer(str(model), device=on)
    theirs.encode(list(texts[:BATCH]), show_progress_bar=False)
    plain = seconds(lambda: theirs.encode(list(texts), show_progress_bar=False))
    statement = EMBED.format(model=model)
    query(["what is loaded once is loaded"], statement)
    ours = query(texts, statement)
    return [
        f"| `embed`, {len(texts):,} texts, nothing cached: seconds; `SentenceTransformer.encode`; "
        f"times as fast | {ours:.2f}; {plain:.2f}; {plain / ours:.2f} |"
    ]


def issues(model: Path, texts: Sequence[str], on: str) -> list[str]:
    """The line about `label_issues`, beside itself on the processor."""
    statement = ISSUES.format(model=model)
    query(texts[:FEW], statement)
    there = query(texts, statement)
    with environment(SQLFUNCS_DEVICE="cpu"):
        query(texts[:FEW], statement)
        here = query(texts, statement)
    return [
        f"| `label_issues`, {len(texts):,} texts, nothing cached: seconds on {on}; on the "
        f"processor; times as fast | {there:.2f}; {here:.2f}; {here / there:.2f} |"
    ]


def labelling(model: Path, texts: Sequence[str], on: str) -> list[str]:
    """The line about a language model, beside a pass of transformers for each label."""
    ours, task = LocalProvider(str(model)), Task.read(LABELS)
    ours.ask(task, texts[:BATCH])
    at_once = ours.texts_at_once
    parts = [texts[at : at + at_once] for at in range(0, len(texts), at_once)]
    shared = seconds(lambda: [ours.ask(task, part) for part in parts])
    frame = ours._frame(task)
    own, _ = ours._tokens(texts)
    prompts = [frame.before + text + frame.after for text in own]
    singly = seconds(lambda: passes(model, prompts, frame.labels, on))
    return [
        f"| a language model, {len(texts):,} texts, {len(LABELS)} labels: seconds; a pass for each "
        f"label by transformers, in batches of {BATCH}; times as fast | {shared:.2f}; "
        f"{singly:.2f}; {singly / shared:.2f} |"
    ]


def passes(
    folder: Path, prompts: Sequence[list[int]], labels: Sequence[list[int]], on: str
) -> list[float]:
    """Log probabilities of each label after each prompt, as one writes it with transformers."""
    import torch
    from transformers import AutoModelForCausalLM

    loaded: Any = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.bfloat16)
    model = loaded.to(on).eval()
    found: list[float] = []
    for label in labels:
        for at in range(0, len(prompts), BATCH):
            rows = [[*prompt, *label] for prompt in prompts[at : at + BATCH]]
            longest = max(map(len, rows))
            ids = torch.tensor([[0] * (longest - len(row)) + row for row in rows], device=on)
            mask = torch.tensor(
                [[0] * (longest - len(row)) + [1] * len(row) for row in rows], device=on
            )
            with torch.inference_mode():
                kept = len(label) + 1
                logits = model(input_ids=ids, attention_mask=mask, logits_to_keep=kept).logits
            likely = logits.float().log_softmax(-1)[:, :-1]
            target = torch.tensor(label, device=on).expand(len(rows), -1).unsqueeze(-1)
            found += likely.gather(2, target).sum(dim=(1, 2)).tolist()
    return found


def main() -> None:
    """Measure everything, and write the table if a GPU is here."""
    on = devices()
    is_gpu = on != (CPU,)
    size, name = (WHOLE, on[0].name) if is_gpu else (SMALL, "cpu")
    texts = texts_of(max(size.read, size.labelled))
    with tempfile.TemporaryDirectory() as folder:
        read = encoder(Path(folder), size.encoder)
        written = causal(Path(folder), size.causal)
        lines = [
            *embedding(read, texts[: size.read], name),
            *issues(read, texts[: size.read], name),
            *labelling(written, texts[: size.labelled], name),
        ]
    head = [f"| on {machine(name)} ({len(on)} of it) | |", "|---|---|"]
    if is_gpu:
        write("gpu", "\n".join([*head, *lines, "", circumstances()]))
        return
    print("No GPU is here, or SQLFUNCS_DEVICE says cpu. What a GPU would be measured by runs, in")
    print(f"small ({FEW} texts, small models), on the processor: no figure for a GPU.\n")
    print("\n".join([*head, *lines, "", circumstances()]))


def machine(name: str) -> str:
    """What torch calls the device that measures."""
    import torch

    return torch.cuda.get_device_name(name) if name.startswith("cuda") else name


if __name__ == "__main__":
    main()
