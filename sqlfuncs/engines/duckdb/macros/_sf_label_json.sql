-- Internal: DuckDB's own text for a label of the type of `x`, as the computing has it: a list as JSON; NULL
-- for what is none.
_sf_label_json(given, x) AS (
    CASE WHEN typeof(x) = 'VARCHAR[]' THEN to_json(TRY_CAST(given AS VARCHAR[]))::VARCHAR ELSE given END
);
