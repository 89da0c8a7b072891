-- Internal: whether each probability of a map is a number: none is NULL, NaN or infinite. NULL of an
-- empty map. list_sum passes over NULL, which a NaN may have become on its way (DuckDB 1 binds one
-- within a Python list as NULL).
_sf_all_finite(probs) AS (
    isfinite(list_sum(map_values(sqlfuncs.main._sf_probs(probs))))
    AND list_count(map_values(sqlfuncs.main._sf_probs(probs)))
        = len(map_values(sqlfuncs.main._sf_probs(probs)))
);
