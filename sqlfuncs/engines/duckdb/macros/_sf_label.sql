-- Internal: a label as DuckDB's own text for it, which casts back to the type it had. `what` is what to
-- call it if it is none.
_sf_label(label, what := 'label') AS (sqlfuncs.main._sf_one(label, what))::VARCHAR;
