"""Lists of text that are likely labels of words, where nothing beside tells: asked, not judged.

Such lists stand beside others of the same words: true and predicted ones, or those of annotators.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import pyarrow as pa

from sqlfuncs.errors import BadInput
from sqlfuncs.learning.labels import tags
from sqlfuncs.learning.labels.labels import kind_of
from sqlfuncs.statistics.entities import is_chunk_label
from sqlfuncs.wording import Option

_SHOWN = 3
_ITEM = "item"  # whose labels by several annotators stand in rows of their own
_RESULT = "class_probs"  # a label_issues result, whose labels were judged as what they are
Lists = Sequence[list[str] | None]


def refuse(rows: pa.StructArray, names: Sequence[str]) -> None:
    """Raise BadInput where tags, in fields by their `names`, are likely labels of words.

    Lists that belong together are all equally long, and some name a label twice, or all labels
    are of a scheme of chunks (O, B-PER, I-PER). A list that stands alone has to do both.
    """
    if _RESULT in rows.type.names:
        return
    columns = [tags.read_lists(rows.field(n)) for n in names if kind_of(rows, n) == tags.KIND]
    keys = rows.field(_ITEM).to_pylist() if _ITEM in rows.type.names else range(len(rows))
    beside = defaultdict[object, list[list[str]]](list)
    for lists in columns:
        for key, own in zip(keys, lists, strict=True):
            if own:
                beside[key].append(own)
    why = _why(list(beside.values()))
    if why is not None:
        raise BadInput(
            f"{names[0]} holds lists of text which look like labels of words, one for each: {why}. "
            f"Say what they are: {Option('task', 'token_classification')}, which label_issues is "
            f"told by x, a list of words; or tags, {Option('task', 'multilabel')}."
        )


def _why(groups: Sequence[Sequence[list[str]]]) -> str | None:
    """Why lists are likely of words, by those that belong together; None where they are not."""
    if any(len({*map(len, group)}) > 1 for group in groups):
        return None
    lists = [own for group in groups for own in group]
    twice = next((own for own in lists if len({*own}) < len(own)), None)
    is_scheme = all(is_chunk_label(label) for own in lists for label in own) and bool(lists)
    are_alone = all(len(group) == 1 for group in groups)
    if (are_alone and not (twice and is_scheme)) or not (twice or is_scheme):
        return None
    said = [] if are_alone else ["lists that belong together are all equally long"]
    if is_scheme:
        every = sorted({label for own in lists for label in own})
        said.append(f"labels are such as {', '.join(every[:_SHOWN])}")
    if twice:
        said.append(f"a list names {max(twice, key=twice.count)} twice")
    return ", ".join(said[:-1]) + (" and " if len(said) > 1 else "") + said[-1]
