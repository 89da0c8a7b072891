-- Internal: probabilities as _sf_read_probs reads them, and an error for what are none.
_sf_probs(given MAP(VARCHAR, DOUBLE)) AS given, (given) AS (
    CASE
        WHEN (given) IS NULL THEN NULL
        ELSE coalesce(
            sqlfuncs.main._sf_read_probs(given),
            error(
                alias(given) || ' is of type ' || left(typeof(given), 80) || ' and cannot be read as '
                || 'class probabilities, such as ' || left((given)::VARCHAR, 80) || '. They are a '
                || 'MAP(VARCHAR, DOUBLE): MAP {''a'': 0.9, ''b'': 0.1}, or text that casts to one.'
            )
        )
    END
);
