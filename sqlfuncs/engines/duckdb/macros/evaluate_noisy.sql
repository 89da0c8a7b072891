-- How good predictions are where the labels to compare with are themselves wrong now and then, in
-- one row: n, reviewed, accuracy_given (by the labels as given), accuracy with its 95 % interval,
-- as the true labels would show it, and label_accuracy, the share of given labels that are right,
-- with its own. `reviewed_sample` is a column: the label that a person gave to rows drawn at
-- random, NULL elsewhere. Where prediction and given label agree, and where they do not, the
-- share that is right is taken from the reviewed rows (double sampling for stratification,
-- Cochran 1977, chapter 12). Rows without a given label are left out; a NULL prediction is wrong.
evaluate_noisy(tbl, actual, predicted, reviewed_sample) AS TABLE
WITH _sf_rows AS MATERIALIZED (
    SELECT _sf_actual, _sf_predicted, _sf_is_other AS _sf_is_right, _sf_says_other AS _sf_says_right, _sf_n AS _sf_times
    FROM sqlfuncs.main._sf_compared(tbl, actual, predicted, other := sqlfuncs.main._sf_bare(reviewed_sample), c := 'reviewed_sample')
), _sf_counted AS (
    SELECT coalesce(sum(_sf_times), 0)::BIGINT AS _sf_rows,
        coalesce(sum(_sf_times) FILTER (_sf_actual IS NOT NULL), 0)::BIGINT AS _sf_given,
        coalesce(
            sum(_sf_times) FILTER (_sf_actual IS NOT NULL AND _sf_is_right IS NOT NULL), 0
        )::BIGINT AS _sf_reviewed
    FROM _sf_rows
), _sf_checked AS (
    FROM _sf_counted
    WHERE CASE
        WHEN _sf_rows = 0 THEN error('the table has no rows: there is nothing to evaluate')
        WHEN _sf_given = 0 THEN error(
            'the label is NULL in all ' || _sf_rows || ' rows: there is nothing to evaluate. '
            || 'The arguments are (table, actual, predicted, reviewed_sample).'
        )
        WHEN _sf_reviewed = 0 THEN error(
            'no row has been reviewed: reviewed_sample is NULL in all ' || _sf_given || ' rows that '
            || 'have a label. Look at some rows drawn at random, FROM ... USING SAMPLE 100, and put '
            || 'what their label should be into that column; evaluate takes labels as they are.'
        )
        ELSE true
    END
), _sf_strata AS (
    -- A share of which nothing is known is a half, anything between none and all.
    SELECT
        coalesce(_sf_actual = _sf_predicted, false) AS _sf_agree,
        sum(_sf_times)::BIGINT / any_value(_sf_given) AS _sf_weight,
        coalesce(sum(_sf_times) FILTER (_sf_is_right IS NOT NULL), 0)::BIGINT AS _sf_seen,
        greatest(1, _sf_seen) AS _sf_m,
        if(_sf_seen = 0, 0.5, coalesce(sum(_sf_times) FILTER (_sf_says_right), 0)::BIGINT)
            AS _sf_hits,
        if(_sf_seen = 0, 0.5, coalesce(sum(_sf_times) FILTER (_sf_is_right), 0)::BIGINT)
            AS _sf_labels,
        _sf_seen = 0 AS _sf_unknown
    FROM _sf_checked, _sf_rows
    WHERE _sf_actual IS NOT NULL
    GROUP BY ALL
), _sf_ends AS (
    SELECT
        *,
        _sf_hits / _sf_m AS _sf_p,
        _sf_labels / _sf_m AS _sf_q,
        if(_sf_unknown, 0, sqlfuncs.main._sf_wilson(_sf_hits, _sf_m, -1)) AS _sf_p_low,
        if(_sf_unknown, 1, sqlfuncs.main._sf_wilson(_sf_hits, _sf_m, 1)) AS _sf_p_high,
        if(_sf_unknown, 0, sqlfuncs.main._sf_wilson(_sf_labels, _sf_m, -1)) AS _sf_q_low,
        if(_sf_unknown, 1, sqlfuncs.main._sf_wilson(_sf_labels, _sf_m, 1)) AS _sf_q_high,
        sum(_sf_weight * _sf_hits / _sf_m) OVER () AS _sf_accuracy,
        sum(_sf_weight * _sf_labels / _sf_m) OVER () AS _sf_label_accuracy
    FROM _sf_strata
), _sf_squares AS (
    -- The ends of a sum from those of its parts (Zou and Donner 2008), and how large the parts
    -- are, which the rows of the table are a sample of, too.
    SELECT
        any_value(_sf_accuracy) AS _sf_p,
        any_value(_sf_label_accuracy) AS _sf_q,
        sum(_sf_weight * (_sf_p - _sf_accuracy) ** 2) AS _sf_p_between,
        sum(_sf_weight * (_sf_q - _sf_label_accuracy) ** 2) AS _sf_q_between,
        sum((_sf_weight * (_sf_p - _sf_p_low)) ** 2) AS _sf_p_down,
        sum((_sf_weight * (_sf_p_high - _sf_p)) ** 2) AS _sf_p_up,
        sum((_sf_weight * (_sf_q - _sf_q_low)) ** 2) AS _sf_q_down,
        sum((_sf_weight * (_sf_q_high - _sf_q)) ** 2) AS _sf_q_up,
        coalesce(any_value(_sf_weight) FILTER (_sf_agree), 0) AS _sf_given_accuracy
    FROM _sf_ends
)
SELECT
    _sf_given AS n,
    _sf_reviewed AS reviewed,
    _sf_given_accuracy AS accuracy_given,
    _sf_p::DOUBLE AS accuracy,
    greatest(0, _sf_p - sqrt(_sf_p_down + 3.8414588206941254 * _sf_p_between / _sf_given))::DOUBLE
        AS accuracy_low,
    least(1, _sf_p + sqrt(_sf_p_up + 3.8414588206941254 * _sf_p_between / _sf_given))::DOUBLE
        AS accuracy_high,
    _sf_q::DOUBLE AS label_accuracy,
    greatest(0, _sf_q - sqrt(_sf_q_down + 3.8414588206941254 * _sf_q_between / _sf_given))::DOUBLE
        AS label_accuracy_low,
    least(1, _sf_q + sqrt(_sf_q_up + 3.8414588206941254 * _sf_q_between / _sf_given))::DOUBLE
        AS label_accuracy_high
FROM _sf_squares, _sf_counted;
