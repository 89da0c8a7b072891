"""Other programs that hold a DuckDB connection, one module each; each imports its program."""
