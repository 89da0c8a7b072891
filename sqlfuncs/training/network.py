"""Training a pretrained transformer end to end, or by adapters; it goes on from checkpoints."""

from __future__ import annotations

from dataclasses import dataclass, replace
from importlib.util import find_spec
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from sqlfuncs import work
from sqlfuncs.errors import BadOption, Cancelled, MissingExtra
from sqlfuncs.learning.encoders.causal import is_causal
from sqlfuncs.learning.models.folds import canonical_order
from sqlfuncs.learning.models.networks import recipe
from sqlfuncs.learning.models.networks.model import NetworkModel
from sqlfuncs.learning.models.networks.recipe import Recipe
from sqlfuncs.learning.rows.base import Floats, Rows
from sqlfuncs.learning.tasks.taught import Taught
from sqlfuncs.store import weights
from sqlfuncs.store.jobs import Running
from sqlfuncs.store.weights import Weights
from sqlfuncs.training import checkpoint, readable
from sqlfuncs.training.expected import Expected
from sqlfuncs.training.outcome import Outcome
from sqlfuncs.training.request import Request
from sqlfuncs.wording import Given, Option, Words

if TYPE_CHECKING:
    from sqlfuncs.learning.models.networks.network import Network
    from sqlfuncs.learning.models.networks.pieces import Pieces

IS_QUICK, TAKES_WEIGHTS = False, True
_BROKEN_OFF = Words(
    "stopped; the same fine_tune with ", Option("resume", True), " goes on from its last epoch"
)


def recipe_for(found: Weights) -> Recipe:
    """How a base is trained. Raises BadOption for one that cannot be."""
    work.ready("transformers.modeling_utils")
    from sqlfuncs.learning.models.networks.bases import layers_of

    if is_causal(found.folder):
        return recipe.of_causal(found.name, found.digest, layers_of(found))
    layers_of(found)
    return recipe.of_encoder(found.name, found.digest)


def way(base: str) -> str:
    """What a network would be trained from here: part of a fingerprint. Raises as `weights.get`."""
    if find_spec("transformers") is None:
        raise MissingExtra.needed_for(str(Option("base", Given(base))), "local")
    return recipe_for(weights.get(base)).to_json().decode()


def owns(base: str) -> bool:
    """Whatever no other trainer takes is the name of a pretrained model."""
    return True


def named(base: str, rows: Rows) -> tuple[str, str]:
    """The full name of a base, and its recipe. Raises as `weights.full_name` and `reading`."""
    full = weights.full_name(base, option="base")
    if rows.words is None:
        readable.refuse_all_but_texts(base, rows)
    elif is_causal(weights.get(full).folder):
        raise BadOption(
            f"{Option('base', Given(base))} reads from left to right, and would label a word "
            f"before it has read what follows. {readable.OF_WORDS}"
        )
    return full, way(full)


def refuse_labels(base: str, taught: Taught) -> None:
    """Those without a loss."""
    if taught.loss is None:
        raise BadOption(
            f"{Option('base', Given(base))} does not learn labels of this kind. They may have "
            f"{Option('base', 'fast')} or 'best'."
        )


def check() -> None:
    """`named` has looked at the weights."""


def judge(base: str) -> str:
    """A quick one."""
    return "fast"


def train(request: Request, job: Running) -> Outcome:
    """Train from the last checkpoint of the job, if there is one. Raises DamagedModel."""
    from sqlfuncs.learning.models.networks import training

    prepared = _Prepared.of(request)
    folder = job.folder
    with work.share(f"training {_short(request.base)}") as task:

        def step(done: float) -> None:
            task.reach(done)
            job.report(done)

        try:
            training.train(
                prepared.network,
                prepared.pieces.rows,
                prepared.alike,
                seed=request.seed,
                step=step,
                keep=lambda progress: checkpoint.keep(folder, progress),
                progress=checkpoint.kept(folder),
            )
        except Cancelled:
            if checkpoint.is_kept(folder):
                raise Cancelled(str(_BROKEN_OFF)) from None
            raise
    taught = request.taught
    predicted = prepared.predicted(request.seed)
    decoder = taught.decoder(predicted, request.weights)
    files = {**NetworkModel(prepared.network).to_files(), **decoder.to_files()}
    return Outcome(files, taught.score(predicted, request.weights))


def expected(request: Request, seconds: float) -> Expected:
    """What training would take here, by a few steps of it. Raises DamagedModel."""
    from sqlfuncs.learning.models.networks import training

    prepared = _Prepared.of(request)
    network, rows = prepared.network, prepared.pieces.rows
    recipe, lengths = network.recipe, training.lengths(rows.tokens)
    warnings = []
    cut = prepared.pieces.cut_short(recipe.max_tokens)
    if cut:
        warnings.append(
            f"{cut:,} texts have {recipe.max_tokens} tokens or more: what follows these is not read"
        )
    if not prepared.held_out(request.seed).any():
        warnings.append(
            "the rows are too few to hold any out: training does not stop early, and no accuracy "
            "is measured"
        )
    return Expected(
        tokens=recipe.epochs * sum(lengths),
        seconds=training.expected_seconds(network, rows),
        warnings=tuple(warnings),
    )


@dataclass(frozen=True)
class _Prepared:
    """An untrained network, the rows in `pieces` in their order, and which of these are `alike`."""

    network: Network
    pieces: Pieces
    alike: list[bytes]

    @classmethod
    def of(cls, request: Request) -> _Prepared:
        """What a request asks for."""
        from sqlfuncs.learning.models.networks.network import untrained

        found, taught = weights.get(request.base), request.taught
        keys = request.rows.digests()
        own = recipe_for(found)
        recipe = replace(own, loss=taught.loss or own.loss, epochs=taught.epochs or own.epochs)
        network = untrained(found, recipe, taught.width, request.seed)
        counts = request.weights
        if counts is None:
            counts = np.ones(len(keys), dtype=np.float32)
        order = canonical_order(keys, taught.ranks)
        pieces = taught.pieces(network, request.rows, order, counts)
        groups = request.rows.groups(keys)
        return cls(network, pieces, [groups[at] for at in pieces.of])

    def held_out(self, seed: int) -> npt.NDArray[np.bool_]:
        """Which pieces are held out: (pieces,)."""
        from sqlfuncs.learning.models.networks import training

        return training.held_out(self.pieces.rows.codes, self.alike, seed)

    def predicted(self, seed: int) -> Floats:
        """What the network says of the rows that were held out, as these came: else NaN."""
        return self.pieces.predicted(self.network, np.flatnonzero(self.held_out(seed)))


def _short(base: str) -> str:
    return base.rpartition("/")[2]
