-- Internal: the lower (-1) or upper (1) end of the 95 % Wilson score interval of hits in n.
_sf_wilson(hits, n, side) AS (
    greatest(0, least(1, (
        hits / n + 1.9207294103470854 / n
        + side * 1.959963984540054
        * sqrt(hits / n * (1 - hits / n) / n + 0.9603647051735314 / (n * n))
    ) / (1 + 3.8414588206941708 / n)))::DOUBLE
);
