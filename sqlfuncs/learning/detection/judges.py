"""Judges by name: kept among the models, loaded once. Reads and writes the registry of models."""

from __future__ import annotations

import time
from hashlib import sha256

from sqlfuncs import work
from sqlfuncs.errors import UnknownModel
from sqlfuncs.learning.detection.judge import Judge
from sqlfuncs.learning.models.cross_fitted import BASE
from sqlfuncs.store import stores
from sqlfuncs.store.loaded import Loaded
from sqlfuncs.store.models import ModelRecord, check_name
from sqlfuncs.wording import Call, Option

_loaded = Loaded(Judge.from_files)


def check(name: object) -> str:
    """A name under which a judge may be kept. Raises BadInput, CannotKeep before any work."""
    checked = check_name(name)
    stores.models().check_home()
    return checked


def get(name: str) -> Judge:
    """The newest judge of a name, or the one that `name@version` pins.

    Raises UnknownModel, DamagedModel, BadInput for a model that is no judge.
    """
    try:
        return _loaded.get(name)[1]
    except UnknownModel as error:
        models = stores.models()
        own, _, _ = name.partition("@")
        if models.exists(own):
            raise  # it is another version that there is not
        kept = sorted({each.name for each in models.records() if each.base.startswith(BASE)})
        there = f"There are: {', '.join(kept)}. " if kept else "None has been kept yet. "
        learn = Call("label_issues", "my_table", "x", "label", Option("judge", own), is_table=True)
        raise UnknownModel(f"there is no judge '{own}'. {there}Learn one: {learn}.") from error


def keep(name: str, judge: Judge, *, model: str, kind: str, seconds: float) -> ModelRecord:
    """Keep a judge as the next version of its name, unless the newest one is the same.

    `model` has read its rows, which are of a `kind`. Raises CannotKeep.
    """
    files = judge.to_files()
    digests = sorted((file, sha256(content).hexdigest()) for file, content in files.items())
    fingerprint = sha256(repr(digests).encode()).hexdigest()
    if stores.models().exists(name):
        newest = stores.models().find(name)
        if newest.fingerprint == fingerprint:
            return newest
    record = stores.models().save(
        ModelRecord(
            name=name,
            base=BASE + model,
            job_id="",
            kind=kind,
            classes=judge.classes,
            rows=judge.rows,
            cv_accuracy=judge.agreement,
            seconds=seconds,
            fingerprint=fingerprint,
            created_at=time.time(),
        ),
        files,
    )
    work.say(f"the judge '{name}' is kept: version {record.version}")
    return record
