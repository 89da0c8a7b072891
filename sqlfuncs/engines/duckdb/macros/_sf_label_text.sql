-- Internal: what the computing has for a label of the type of `x`, as DuckDB's own text for it, which casts to
-- that type; what is JSON of no list stays as it is.
_sf_label_text(given, x) AS (
    CASE
        WHEN typeof(x) = 'VARCHAR[]' THEN coalesce(TRY(json_transform(given, '["VARCHAR"]'))::VARCHAR, given)
        ELSE given
    END
);
