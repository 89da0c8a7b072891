-- Internal: the lower (-1) or upper (1) end of the 95 % Wilson score interval of hits in n.
_sf_wilson(hits, n, side) AS (
    -- It holds the share itself: what rounding takes away there is given back.
    CASE
        WHEN side < 0 THEN greatest(0, least(hits / n, sqlfuncs.main._sf_wilson_end(hits, n, side)))
        ELSE least(1, greatest(hits / n, sqlfuncs.main._sf_wilson_end(hits, n, side)))
    END::DOUBLE
);
