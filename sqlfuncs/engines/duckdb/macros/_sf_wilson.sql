-- Internal: the lower (-1) or upper (1) end of the 95 % Wilson score interval of hits in n.
_sf_wilson(hits, n, side) AS (
    _sf_share_interval((hits)::DOUBLE, (n)::DOUBLE, NULL::DOUBLE, NULL::DOUBLE, (side)::DOUBLE)
);
