-- Two predictions of the same rows against the truth, in one row: n, accuracy_before,
-- accuracy_after, difference (after minus before) with its 95 % interval (Newcombe 1998,
-- paired, method 10), error_reduction (share of the errors that are gone), how many rows
-- only one of them has right, and the exact two-sided McNemar p_value.
compare_models(tbl, actual, before, after) AS TABLE
WITH _sf_rows AS (
    SELECT
        coalesce(_sf_actual = _sf_predicted, false) AS _sf_b,
        coalesce(_sf_is_other, false) AS _sf_a,
        _sf_n AS _sf_times
    FROM sqlfuncs.main._sf_compared(tbl, actual, before, other := after, b := 'before', c := 'after')
    WHERE _sf_actual IS NOT NULL
), _sf_counted AS (
    SELECT
        coalesce(sum(_sf_times), 0)::BIGINT AS _sf_n,
        coalesce(sum(_sf_times) FILTER (_sf_b AND _sf_a), 0)::BIGINT AS _sf_both,
        coalesce(sum(_sf_times) FILTER (_sf_b AND NOT _sf_a), 0)::BIGINT AS _sf_only_b,
        coalesce(sum(_sf_times) FILTER (_sf_a AND NOT _sf_b), 0)::BIGINT AS _sf_only_a,
        coalesce(sum(_sf_times) FILTER (NOT _sf_a AND NOT _sf_b), 0)::BIGINT AS _sf_none
    FROM _sf_rows
), _sf_checked AS (
    SELECT *, (_sf_both + _sf_only_b) / _sf_n AS _sf_pb, (_sf_both + _sf_only_a) / _sf_n AS _sf_pa
    FROM _sf_counted
    WHERE CASE
        WHEN _sf_n = 0 THEN error(
            'no row has a true label: there is nothing to compare. The arguments are '
            || '(table, actual, before, after).'
        )
        ELSE true
    END
), _sf_ends AS (
    SELECT
        *,
        _sf_pb - sqlfuncs.main._sf_wilson(_sf_both + _sf_only_b, _sf_n, -1) AS _sf_b_down,
        sqlfuncs.main._sf_wilson(_sf_both + _sf_only_b, _sf_n, 1) - _sf_pb AS _sf_b_up,
        _sf_pa - sqlfuncs.main._sf_wilson(_sf_both + _sf_only_a, _sf_n, -1) AS _sf_a_down,
        sqlfuncs.main._sf_wilson(_sf_both + _sf_only_a, _sf_n, 1) - _sf_pa AS _sf_a_up,
        (_sf_both + _sf_only_b)::DOUBLE * (_sf_only_a + _sf_none)
            * (_sf_both + _sf_only_a) * (_sf_only_b + _sf_none) AS _sf_margins,
        _sf_both::DOUBLE * _sf_none - _sf_only_b::DOUBLE * _sf_only_a AS _sf_cross
    FROM _sf_checked
), _sf_correlated AS (
    SELECT
        *,
        -- Newcombe's continuity-corrected correlation of the two outcomes.
        CASE
            WHEN _sf_margins = 0 THEN 0
            WHEN _sf_cross > _sf_n / 2 THEN (_sf_cross - _sf_n / 2) / sqrt(_sf_margins)
            WHEN _sf_cross >= 0 THEN 0
            ELSE _sf_cross / sqrt(_sf_margins)
        END AS _sf_phi
    FROM _sf_ends
)
SELECT
    _sf_n AS n,
    _sf_pb AS accuracy_before,
    _sf_pa AS accuracy_after,
    _sf_pa - _sf_pb AS difference,
    greatest(-1, _sf_pa - _sf_pb - sqrt(greatest(0, _sf_a_down * _sf_a_down + _sf_b_up * _sf_b_up
        - 2 * _sf_phi * _sf_a_down * _sf_b_up))) AS difference_low,
    least(1, _sf_pa - _sf_pb + sqrt(greatest(0, _sf_a_up * _sf_a_up + _sf_b_down * _sf_b_down
        - 2 * _sf_phi * _sf_a_up * _sf_b_down))) AS difference_high,
    1 - (1 - _sf_pa) / nullif(1 - _sf_pb, 0) AS error_reduction,
    _sf_only_b AS only_before_right,
    _sf_only_a AS only_after_right,
    least(1, 2 * list_sum([
        exp(lgamma(_sf_only_a + _sf_only_b + 1) - lgamma(_sf_k + 1)
            - lgamma(_sf_only_a + _sf_only_b - _sf_k + 1)
            - (_sf_only_a + _sf_only_b) * ln(2))
        FOR _sf_k IN range(0, least(_sf_only_a, _sf_only_b) + 1)
    ]))::DOUBLE AS p_value
FROM _sf_correlated;
