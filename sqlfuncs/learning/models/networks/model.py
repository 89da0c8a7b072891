"""A trained network as a model: it reads texts, and is stored as what it has learned."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlfuncs import work
from sqlfuncs.errors import BadInput, DamagedModel
from sqlfuncs.learning.models.networks.recipe import Recipe
from sqlfuncs.learning.rows.base import Floats, Rows
from sqlfuncs.store import weights

if TYPE_CHECKING:
    from sqlfuncs.learning.models.networks.network import Network

RECIPE, LEARNED = "network.json", "network.safetensors"


@dataclass(frozen=True)
class NetworkModel:
    """A network that has been trained, or restored."""

    network: Network

    def predict(self, rows: Rows) -> Floats:
        """What the network says of rows: (rows, width), as `objective` has it."""
        texts = rows.texts
        if texts is None:
            raise BadInput(f"the model was trained on text; it cannot read {rows.called}.")
        from sqlfuncs.learning.models.networks.training import predictions

        name = self.network.recipe.base.rpartition("/")[2]
        with work.task(f"reading texts with {name}", len(texts)) as task:
            return predictions(self.network, self.network.tokens(texts), task.advance)

    def to_files(self) -> dict[str, bytes]:
        """Everything needed to load it again, beside the base: JSON and safetensors."""
        import torch
        from safetensors.torch import save

        # Nothing is lost where it is run in bf16, and very little elsewhere.
        learned = {
            name: each.detach().to("cpu", torch.bfloat16).contiguous()
            for name, each in self.network.trainable_parameters().items()
        }
        return {RECIPE: self.network.recipe.to_json(), LEARNED: save(learned)}

    @classmethod
    def from_files(cls, files: Mapping[str, bytes], classes: int) -> NetworkModel:
        """What `to_files` gave. Raises DamagedModel if its base is not what it was."""
        from safetensors.torch import load

        from sqlfuncs.learning.models.networks.network import restored

        recipe = Recipe.from_json(files[RECIPE])
        found = weights.get(recipe.base)
        if found.digest != recipe.digest:
            raise DamagedModel(
                f"the model was trained from {recipe.base}, whose weights here are others than "
                "they were. Train it again."
            )
        try:
            return cls(restored(found, recipe, classes, load(files[LEARNED])))
        except (KeyError, RuntimeError) as error:
            raise DamagedModel(f"the model does not fit {recipe.base}: {error}") from None
