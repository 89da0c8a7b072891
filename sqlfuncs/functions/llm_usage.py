"""`llm_usage()`: what models were asked in this process, and what it cost."""

from __future__ import annotations

import pyarrow as pa

from sqlfuncs.functions.spec import Column, ListFunction
from sqlfuncs.llm import usage


def llm_usage() -> pa.StructArray:
    """A row for each provider's model that was asked for since this process began.

    `rows` were wanted; `cache_hits` of them had an answer that was kept; `asked` counts the
    texts that were sent, with those sent again; `requests`, `retries` after a failure, `errors`
    the texts left without an answer; tokens as the provider counts them, of the `estimated`
    requests, where it does not tell or tells what cannot be, as we do; `cost_usd` by the table
    of prices, NULL where it does not know the model; `seconds` the sum over requests.
    """
    rows = [
        {column.name: getattr(used, column.name) for column in FUNCTION.returns}
        for used in usage.used()
    ]
    return pa.array(rows, pa.struct([(c.name, c.computed_type) for c in FUNCTION.returns]))


FUNCTION = ListFunction(
    name="llm_usage",
    compute=llm_usage,
    returns=(
        Column("model", pa.string(), "provider:name"),
        Column("rows", pa.int64(), "texts that were wanted"),
        Column("cache_hits", pa.int64(), "of them, answered before"),
        Column("asked", pa.int64(), "texts that were sent"),
        Column("requests", pa.int64(), "requests"),
        Column("retries", pa.int64(), "requests made again after a failure"),
        Column("errors", pa.int64(), "texts left without an answer"),
        Column("estimated", pa.int64(), "requests whose tokens are estimates of ours"),
        Column("input_tokens", pa.int64(), "as the provider counts"),
        Column("output_tokens", pa.int64(), "as the provider counts"),
        Column("cost_usd", pa.float64(), "by the table of prices"),
        Column("seconds", pa.float64(), "over all requests"),
    ),
)
