-- How many wrong labels are left after how many reviewed rows: from a label_issues result whose
-- rows are reviewed in order of label_quality, and a decision log. What is left is estimated from
-- a random sample of the rows: all decided rows, or, where others are decided too, those whose
-- keys are in the column `key` of the table `sample`. One row for today (the first) and for each
-- of `points` equal steps through what is not decided: reviewed, errors_found, errors_left,
-- errors_left_low, errors_left_high (95 %), precision (share of wrong labels among the rows of the
-- step). Reviewed rows that stand too high or low in the ranking for a random sample are an error.
review_curve(issues, log, key, label, sample := NULL, points := 20) AS TABLE
WITH _sf_issues AS MATERIALIZED (  -- so that it is looked at though no row may be needed
    FROM sqlfuncs.main._sf_found(issues, 'review_curve', ['label_quality'])
), _sf_everything AS (
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
    FROM _sf_issues AS _sf_in
    LEFT JOIN _sf_decided ON _sf_key = (key)::VARCHAR
    LEFT JOIN _sf_drawn ON _sf_drawn_key = (key)::VARCHAR
    WHERE label_quality IS NOT NULL AND _sf_action IS DISTINCT FROM 'exclude'
), _sf_listed AS (
    SELECT _sf_curve_points(
        list(_sf_known ORDER BY _sf_rank), list(_sf_wrong ORDER BY _sf_rank),
        list(_sf_random ORDER BY _sf_rank), coalesce(points, 20)
    ) AS _sf_points
    FROM _sf_ranked
)
SELECT unnest(_sf_points, recursive := true) FROM _sf_listed;
