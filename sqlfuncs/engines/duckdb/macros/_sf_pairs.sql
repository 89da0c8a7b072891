-- Internal: what an evaluation compares: true and predicted label and how many rows have both, rows
-- without a true label left out.
_sf_pairs(tbl, actual, predicted) AS TABLE
WITH _sf_all AS MATERIALIZED (
    FROM sqlfuncs.main._sf_compared(tbl, actual, predicted)
), _sf_counted AS (
    SELECT coalesce(sum(_sf_n), 0)::BIGINT AS _sf_rows, count(_sf_actual) AS _sf_known FROM _sf_all
)
SELECT _sf_actual, _sf_predicted, _sf_n
-- The count stands on the left, so that it is checked for a table without rows too.
FROM _sf_counted LEFT JOIN _sf_all ON _sf_actual IS NOT NULL
WHERE CASE
    WHEN _sf_known > 0 THEN true
    WHEN _sf_rows = 0 THEN error('the table has no rows: there is nothing to evaluate')
    ELSE error(
        'the true label is NULL in all ' || _sf_rows || ' rows: there is nothing to evaluate. '
        || 'The arguments are (table, actual, predicted, ...).'
    )
END;
