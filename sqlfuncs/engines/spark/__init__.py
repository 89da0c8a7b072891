"""Spark SQL: the functions in its sessions, and tables that no machine holds alone.

Each module imports pyspark only when a session of it is there. What a call on one table comes down
to is computed by DuckDB as a library (`engines.duckdb.embedded`), in a worker or on the driver.
"""
