"""What a model's name means where rows are to be judged by models that never saw them."""

from __future__ import annotations

from dataclasses import replace

from sqlfuncs.errors import BadOption
from sqlfuncs.learning.models import cross_fitted
from sqlfuncs.learning.models.networks.model import RECIPE
from sqlfuncs.learning.models.networks.recipe import CROSS_ENTROPY, Recipe
from sqlfuncs.learning.rows.base import AVERAGES
from sqlfuncs.store import stores
from sqlfuncs.store.weights import SHORT_NAMES
from sqlfuncs.wording import Call, Given, Option


def resolve(model: str) -> str | Recipe:
    """How a model that fine_tune made was trained; any other name as it is.

    It is the way that counts and not what it learned: the model has seen the rows, and knows the
    labels they were given. Raises UnknownModel for a version that does not exist, DamagedModel,
    and BadOption for what was trained at a service.
    """
    name = model.partition("@")[0]
    if name in (*AVERAGES, *SHORT_NAMES) or not stores.models().exists(name):
        return model
    record, files = stores.models().load(model)
    if RECIPE in files:
        return replace(Recipe.from_json(files[RECIPE]), loss=CROSS_ENTROPY)
    if record.base in AVERAGES:
        return record.base
    if cross_fitted.ABOUT in files:  # a judge: learned anew, as it was
        return record.base.removeprefix(cross_fitted.BASE)
    named = Option("model", Given(model))
    raise BadOption(
        f"{named} was trained at a service, and cannot be trained again for rows that "
        "it is to judge. Let it give probabilities of its own: "
        f"{Call('label_issues', 't', Call('llm_class_probs', 'text', named), 'label')}, if it was "
        "not trained on these rows."
    )
