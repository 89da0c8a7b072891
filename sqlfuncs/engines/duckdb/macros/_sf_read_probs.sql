-- Internal: probabilities as a map of text to number, also where a CSV or JSON file made text or a
-- STRUCT of it; NULL for what is none.
_sf_read_probs(given MAP(VARCHAR, DOUBLE)) AS given, (given) AS coalesce(
    TRY_CAST(given AS MAP(VARCHAR, DOUBLE)),
    TRY_CAST(TRY_CAST((given)::VARCHAR AS JSON) AS MAP(VARCHAR, DOUBLE))
);
