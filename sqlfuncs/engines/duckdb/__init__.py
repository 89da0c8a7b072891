"""DuckDB, the only engine so far. This folder is the only place that imports duckdb.

`engine.ENGINE` is what others ask for; what stands here is loaded before each of its modules.
"""
