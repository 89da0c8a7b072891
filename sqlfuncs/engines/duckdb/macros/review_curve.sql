-- How many wrong labels are left after how many reviewed rows: from a label_issues result whose
-- rows are reviewed in order of label_quality, and a decision log. What is left is estimated from
-- a random sample of the rows: all decided rows, or, where others are decided too, those whose
-- keys are in the column `key` of the table `sample`. One row for today (the first) and for each
-- of `points` equal steps through what is not decided: reviewed, errors_found, errors_left,
-- errors_left_low, errors_left_high (95 %), precision (share of wrong labels among the rows of the
-- step). Reviewed rows that stand too high or low in the ranking for a random sample are an error.
review_curve(issues, log, key, label, sample := NULL, points := 20) AS TABLE
WITH _sf_everything AS (
    SELECT NULL::VARCHAR AS key
), _sf_decided AS MATERIALIZED (
    FROM sqlfuncs.main._sf_decisions(issues, log, key, label, NULL)
), _sf_drawn AS (
    SELECT _sf_s.key::VARCHAR AS _sf_drawn_key, count(*) AS _sf_times
    FROM query_table(coalesce(sample, '_sf_everything')) AS _sf_s
    GROUP BY ALL
), _sf_ranked AS (
    SELECT
        row_number() OVER (ORDER BY label_quality, (key)::VARCHAR) AS _sf_rank,
        coalesce(_sf_action IN ('relabel', 'keep'), false) AS _sf_known,
        _sf_known AND _sf_action = 'relabel' AND _sf_new IS DISTINCT FROM _sf_old AS _sf_wrong,
        _sf_known AND (
            _sf_times IS NOT NULL
            OR (SELECT count(*) = 1 AND count(_sf_drawn_key) = 0 FROM _sf_drawn)
        ) AS _sf_random
    FROM query_table(issues) AS _sf_in
    LEFT JOIN _sf_decided ON _sf_key = (key)::VARCHAR
    LEFT JOIN _sf_drawn ON _sf_drawn_key = (key)::VARCHAR
    WHERE label_quality IS NOT NULL AND _sf_action IS DISTINCT FROM 'exclude'
), _sf_totals AS (
    SELECT
        count(*) AS _sf_rows,
        count(*) FILTER (_sf_known) AS _sf_known_rows,
        count(*) FILTER (_sf_wrong) AS _sf_known_wrong,
        count(*) FILTER (NOT _sf_known) AS _sf_open_rows,
        count(*) FILTER (_sf_random) AS _sf_sample_rows,
        -- How far the mean rank of the sample is from that of all rows, in standard errors.
        (avg(_sf_rank) FILTER (_sf_random) - (count(*) + 1) / 2) / nullif(sqrt(
            (count(*) + 1) * (count(*) - count(*) FILTER (_sf_random))
            / (12 * nullif(count(*) FILTER (_sf_random), 0))
        ), 0) AS _sf_off
    FROM _sf_ranked
), _sf_checked AS (
    SELECT *, least(coalesce(points, 20), _sf_open_rows) AS _sf_steps
    FROM _sf_totals
    WHERE CASE
        WHEN points < 1 THEN error(
            'review_curve: points := ' || points || ' is too few. It has to be 1 or more.'
        )
        WHEN _sf_rows = 0 THEN error('review_curve: no row of the table was judged.')
        WHEN _sf_sample_rows = 0 THEN error(
            'review_curve: no row of a random sample has been reviewed: nothing tells how many '
            || 'errors are left. Review 20 rows drawn at random or more, and write relabel or keep '
            || 'into the log: sqlfuncs review shows them in the order "random sample", the query '
            || 'file review_queue with order=random.'
        )
        WHEN abs(_sf_off) > 4 THEN error(
            'review_curve: the ' || _sf_sample_rows || ' reviewed rows are no random sample: their '
            || 'mean place in the ranking is ' || round(abs(_sf_off), 1) || ' standard errors '
            || CASE WHEN _sf_off < 0 THEN 'nearer to the top' ELSE 'further down' END
            || ' than chance would put it. Review some rows drawn at random and name the table '
            || 'that has their keys: sample := drawn.'
        )
        ELSE true
    END
), _sf_flags AS (
    SELECT _sf_rank, NOT _sf_known AS _sf_open, _sf_random, _sf_wrong FROM _sf_ranked
    UNION ALL
    SELECT 0, false, false, false  -- today: everything lies behind it
), _sf_behind AS (
    SELECT
        _sf_rank,
        _sf_open,
        count(*) FILTER (_sf_open) OVER (ORDER BY _sf_rank) AS _sf_at,
        count(*) FILTER (_sf_open) OVER _sf_after AS _sf_left,
        count(*) FILTER (NOT _sf_random) OVER _sf_after AS _sf_n,
        count(*) FILTER (_sf_random) OVER _sf_after AS _sf_m,
        count(*) FILTER (_sf_random AND _sf_wrong) OVER _sf_after AS _sf_hits,
        count(*) FILTER (NOT _sf_random AND _sf_wrong) OVER _sf_after AS _sf_other_wrong
    FROM _sf_flags
    WINDOW _sf_after AS (ORDER BY _sf_rank ROWS BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING)
), _sf_ends AS (
    -- What is known of other rows is taken off.
    SELECT
        *,
        _sf_hits / nullif(_sf_m, 0) AS _sf_share
    FROM _sf_behind, _sf_checked
    WHERE _sf_rank = 0
        OR _sf_open AND _sf_at * _sf_steps // _sf_open_rows > (_sf_at - 1) * _sf_steps // _sf_open_rows
), _sf_estimates AS (
    SELECT
        _sf_rank, _sf_at, _sf_known_rows, _sf_known_wrong, _sf_left,
        greatest(0, least(_sf_left, min(_sf_share * _sf_n - _sf_other_wrong) OVER (
            ORDER BY _sf_rank
        )))::DOUBLE AS _sf_errors,
        coalesce(sqlfuncs.main._sf_errors_left(_sf_hits, _sf_m, _sf_n, _sf_other_wrong, -1), 0) AS _sf_low,
        coalesce(sqlfuncs.main._sf_errors_left(_sf_hits, _sf_m, _sf_n, _sf_other_wrong, 1), _sf_left) AS _sf_high
    FROM _sf_ends
)
SELECT
    (_sf_known_rows + _sf_at)::BIGINT AS reviewed,
    (_sf_known_wrong + first(_sf_errors) OVER _sf_along - _sf_errors)::DOUBLE AS errors_found,
    _sf_errors AS errors_left,
    least(_sf_errors, greatest(0, _sf_low))::DOUBLE AS errors_left_low,
    greatest(_sf_errors, least(_sf_left, _sf_high))::DOUBLE AS errors_left_high,
    ((lag(_sf_errors) OVER _sf_along - _sf_errors) / (_sf_at - lag(_sf_at) OVER _sf_along))::DOUBLE
        AS "precision"
FROM _sf_estimates
WINDOW _sf_along AS (ORDER BY _sf_rank)
ORDER BY reviewed;
