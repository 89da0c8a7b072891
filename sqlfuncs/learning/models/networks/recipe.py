"""How a network is trained, as numbers that travel with it. Imports nothing of ours."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

CROSS_ENTROPY = "cross_entropy"


@dataclass(frozen=True)
class Recipe:
    """The base and how it is trained: the same recipe, rows and seed give the same network.

    `rank` is that of LoRA's matrices (Hu et al., LoRA, ICLR 2022), 0 where all weights of the
    base are trained. `layers` of the base are kept, the lowest; 0 keeps all. Rates are those of
    AdamW at their highest, after the first `warm_up` of all steps. `loss` says what is learned
    (`objective`).
    """

    base: str
    digest: str
    layers: int = 0
    rank: int = 0
    epochs: int = 3
    rate: float = 5e-5
    head_rate: float = 1e-3
    batch_rows: int = 16
    max_tokens: int = 256
    warm_up: float = 0.1
    decay: float = 0.01
    dropout: float = 0.1
    loss: str = CROSS_ENTROPY

    def to_json(self) -> bytes:
        """As it is stored: as ever where classes are learned."""
        stored = asdict(self)
        if self.loss == CROSS_ENTROPY:
            del stored["loss"]
        return json.dumps(stored).encode()

    @classmethod
    def from_json(cls, stored: bytes) -> Recipe:
        """What `to_json` gave."""
        return cls(**json.loads(stored))


def of_encoder(base: str, digest: str) -> Recipe:
    """All weights of an encoder."""
    return Recipe(base, digest)


def of_causal(base: str, digest: str, layers: int) -> Recipe:
    """Adapters beside the lower four fifths of a language model of so many layers.

    What stands above is about the next word, and costs a fifth of the time.
    """
    return Recipe(base, digest, layers=round(layers * 4 / 5), rank=16, rate=5e-4)
