-- Internal: the lower (-1) or upper (1) end of the 95 % interval of how many of n rows have wrong
-- labels that nobody knows of, by m sampled rows, of which `hits` had one; `known_wrong` of the n are
-- known already. NULL where no row was sampled, or none is left.
_sf_errors_left(hits, m, n, known_wrong, side) AS (
    _sf_share_interval(
        (hits)::DOUBLE, (m)::DOUBLE, (n)::DOUBLE, (known_wrong)::DOUBLE, (side)::DOUBLE
    )
);
