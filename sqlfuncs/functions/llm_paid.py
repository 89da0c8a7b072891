"""`llm_paid()`: what the answers that are kept on this machine have cost."""

from __future__ import annotations

import pyarrow as pa

from sqlfuncs.functions.spec import Column, ListFunction
from sqlfuncs.llm import prices
from sqlfuncs.store import stores


def llm_paid() -> pa.StructArray:
    """A row for each model whose answers are kept in SQLFUNCS_HOME, whichever process asked.

    `answers` that were paid for, `errors` among them (refusals, and answers that are no label);
    tokens as the provider counts them; `cost_usd` by the table of prices as it is today, NULL
    where it does not know the model at its server; when the first and the last one came.
    `llm_usage()` says what this process has asked, with its requests and retries.
    """
    rows = [
        {
            "model": paid.model,
            "answers": paid.answers,
            "errors": paid.errors,
            "input_tokens": paid.input_tokens,
            "output_tokens": paid.output_tokens,
            "cost_usd": prices.cost_of_kept(paid.model, paid.input_tokens, paid.output_tokens),
            "first_at": int(paid.first_at * 1_000_000),
            "last_at": int(paid.last_at * 1_000_000),
        }
        for paid in stores.answers().paid()
    ]
    return pa.array(rows, pa.struct([(c.name, c.computed_type) for c in FUNCTION.returns]))


FUNCTION = ListFunction(
    name="llm_paid",
    compute=llm_paid,
    returns=(
        Column("model", pa.string(), "provider:name"),
        Column("answers", pa.int64(), "texts that were answered, each once"),
        Column("errors", pa.int64(), "of them, answers that are no label"),
        Column("input_tokens", pa.int64(), "as the provider counts"),
        Column("output_tokens", pa.int64(), "as the provider counts"),
        Column("cost_usd", pa.float64(), "by the table of prices"),
        Column("first_at", pa.timestamp("us"), "when the first answer came (UTC)"),
        Column("last_at", pa.timestamp("us"), "when the last answer came (UTC)"),
    ),
)
