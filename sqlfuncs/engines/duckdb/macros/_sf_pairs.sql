-- Internal: what an evaluation compares, as text, rows without a true label left out.
_sf_pairs(tbl, actual, predicted) AS TABLE
WITH _sf_compared AS MATERIALIZED (
    SELECT
        sqlfuncs.main._sf_text(sqlfuncs.main._sf_bare(actual), predicted) AS _sf_actual,
        sqlfuncs.main._sf_text(predicted, actual) AS _sf_predicted
    FROM query_table(tbl) AS _sf_in
), _sf_counted AS (
    SELECT count(*) AS _sf_rows, count(_sf_actual) AS _sf_known FROM _sf_compared
)
SELECT _sf_actual, _sf_predicted
-- The count stands on the left, so that it is checked for a table without rows too.
FROM _sf_counted LEFT JOIN _sf_compared ON _sf_actual IS NOT NULL
WHERE CASE
    WHEN _sf_known > 0 THEN true
    WHEN _sf_rows = 0 THEN error('the table has no rows: there is nothing to evaluate')
    ELSE error(
        'the true label is NULL in all ' || _sf_rows || ' rows: there is nothing to evaluate. '
        || 'The arguments are (table, actual, predicted, ...).'
    )
END;
