"""How pretrained models are loaded: quietly, from this machine, from safetensors. Uses torch.

A causal model that came as GGUF is converted once, below the home: GGUF is read by an
interpreter's loops, which take 15 to 30 seconds for the smallest model at every start.
"""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlfuncs import work
from sqlfuncs.errors import DamagedModel
from sqlfuncs.store import folders
from sqlfuncs.store.home import home
from sqlfuncs.store.weights import Weights

LOCAL: dict[str, Any] = {"trust_remote_code": False, "local_files_only": True}


@contextmanager
def loading(name: str, folder: Path) -> Iterator[None]:
    """Load a model without progress bars and reports. Raises DamagedModel where that fails."""
    from transformers.utils import logging

    before = logging.get_verbosity()
    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    try:
        with contextlib.redirect_stderr(io.StringIO()):
            yield
    except MemoryError:
        raise
    except Exception as error:  # transformers, safetensors and the disk share no other base
        reason = str(error).strip().partition("\n")[0][:200] or type(error).__name__
        raise DamagedModel(
            f"the model {name} cannot be loaded from {folder}: {reason}. If its files are damaged, "
            f"delete that folder and get it again: sqlfuncs models fetch {name}"
        ) from error
    finally:
        logging.set_verbosity(before)


def as_safetensors(weights: Weights) -> tuple[Path, dict[str, Any]]:
    """The folder a causal model is loaded from, and what `from_pretrained` is to be told of it.

    It is the weights' own, unless they are GGUF. Where a converted copy cannot be kept it is
    the GGUF itself; the numbers are the same. Raises
    DamagedModel for a copy that is not what was made.
    """
    for module in ("torch", "transformers.modeling_utils"):
        work.ready(module)
    import torch
    from safetensors import SafetensorError

    file = next(weights.folder.glob("*.gguf"), None)
    if file is None:
        return weights.folder, {"use_safetensors": True}
    kept = home() / "weights" / f"{weights.digest[:16]}-bf16"
    as_it_is = {"gguf_file": file.name, "dtype": torch.bfloat16}
    try:
        if not kept.is_dir():
            work.say(f"preparing {weights.name} for use, this once")
            _convert(weights, as_it_is, kept)
    except (OSError, SafetensorError) as error:
        work.say_once(f"{weights.name} cannot be kept in {kept}: {error}. It is read slowly.")
        return weights.folder, as_it_is
    folders.check(kept, weights.name)
    return kept, {"use_safetensors": True, "dtype": torch.bfloat16}


def tokenizer(folder: Path, source: dict[str, Any]) -> Any:
    """The tokenizer of a causal model, from what `as_safetensors` gave."""
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(folder, gguf_file=source.get("gguf_file"), **LOCAL)


def _convert(weights: Weights, source: dict[str, Any], kept: Path) -> None:
    from transformers import AutoModelForCausalLM

    with loading(weights.name, weights.folder):
        words = tokenizer(weights.folder, source)
        read = AutoModelForCausalLM.from_pretrained(weights.folder, **source, **LOCAL)
        if hasattr(read.config, "quantization_config"):
            del read.config.quantization_config
        # A model read from GGUF refuses to be saved; a plain one of the same weights does not.
        plain: Any = AutoModelForCausalLM.from_config(  # type: ignore[no-untyped-call]
            read.config, dtype=source["dtype"]
        )
        plain.load_state_dict(read.state_dict())
    with folders.renamed_into(kept) as made:
        words.save_pretrained(made)
        plain.save_pretrained(made)
