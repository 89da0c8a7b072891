-- Internal: a value as the text of another type, that of `x`, which it is cast to; NULL where that cannot
-- be, or would change it. `own` is the kind of the value, `x_kind` that of x.
_sf_unrounded(given, own, x, x_kind) AS (
    CASE
        WHEN sqlfuncs.main._sf_canonical(given, own, own || ' ' || x_kind, x)
            = sqlfuncs.main._sf_canonical(
                sqlfuncs.main._sf_cast(given, x),
                x_kind, own || ' ' || x_kind, ''
            )
        THEN sqlfuncs.main._sf_cast(given, x)
    END
);
