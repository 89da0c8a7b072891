-- Internal: an end of the Wilson score interval, but for rounding.
_sf_wilson_end(hits, n, side) AS (
    (
        hits / n + 1.9207294103470627 / n
        + side * 1.959963984540054
        * sqrt(hits / n * (1 - hits / n) / n + 0.9603647051735313 / (n * n))
    ) / (1 + 3.8414588206941254 / n)
);
