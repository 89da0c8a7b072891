-- Internal: that of a class of probability p.
_sf_set_score(probs, p) AS (
    round(coalesce(list_sum(list_filter(
        map_values(sqlfuncs.main._sf_probs(probs)), lambda _sf_q: _sf_q > p
    )), 0), 9)
);
