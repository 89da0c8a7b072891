"""Large language models as labellers: providers, one place that asks them, what it cost.

A SQL function calls `asking.ask(provider, task, texts)`, which looks into the store, asks for
the rest under limits, keeps each answer as it arrives and counts it in `usage`. Providers are
found by `providers.provider`; none of them is imported before it is named.
"""
