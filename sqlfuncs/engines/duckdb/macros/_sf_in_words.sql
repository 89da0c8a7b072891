-- Internal: a value as the text of the type of `x`, if it is the same value there; else its own text.
_sf_in_words(given, x) AS (
    CASE
        WHEN typeof(given) = typeof(x) THEN (given)::VARCHAR
        ELSE coalesce(
            sqlfuncs.main._sf_unrounded(
                given, sqlfuncs.main._sf_decided_kind(typeof(given)),
                x, sqlfuncs.main._sf_decided_kind(typeof(x))
            ),
            (given)::VARCHAR
        )
    END
);
