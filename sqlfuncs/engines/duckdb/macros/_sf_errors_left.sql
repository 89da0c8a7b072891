-- Internal: the lower (-1) or upper (1) end of the 95 % interval of how many of n rows have wrong
-- labels that nobody knows of, by m sampled rows, of which `hits` had one; `known_wrong` of the n are
-- known already. NULL where no row was sampled, or none is left.
_sf_errors_left(hits, m, n, known_wrong, side) AS (
    CASE
        -- The Wilson interval begins too high where there are one to three errors in the sample; the
        -- Poisson distribution's does not (Brown, Cai, DasGupta 2001, section 4.1.1).
        WHEN side < 0 AND hits BETWEEN 1 AND 3 THEN [0.0253, 0.2422, 0.6187][hits] / m * n - known_wrong
        -- m sampled rows speak for n others as m * n / (m + n) do for endlessly many.
        WHEN m * n > 0 THEN
            sqlfuncs.main._sf_wilson(hits * n / (m + n), m * n / (m + n), side) * n - known_wrong
    END
);
