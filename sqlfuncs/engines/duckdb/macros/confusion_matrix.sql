-- How often each class was predicted for each true class: actual, predicted, n; pairs that
-- do not occur are there with 0. Missing predictions stand as a NULL class, if there are any.
confusion_matrix(tbl, actual, predicted) AS TABLE
WITH _sf_p AS MATERIALIZED (FROM sqlfuncs.main._sf_pairs(tbl, actual, predicted)), _sf_classes AS (
    SELECT _sf_actual AS _sf_class FROM _sf_p
    UNION
    SELECT _sf_predicted FROM _sf_p
), _sf_counts AS (
    SELECT _sf_actual, _sf_predicted, sum(_sf_n) AS _sf_n FROM _sf_p GROUP BY ALL
)
SELECT a._sf_class AS actual, p._sf_class AS predicted, coalesce(c._sf_n, 0)::BIGINT AS n
FROM _sf_classes AS a
CROSS JOIN _sf_classes AS p
LEFT JOIN _sf_counts AS c
    ON c._sf_actual = a._sf_class AND c._sf_predicted IS NOT DISTINCT FROM p._sf_class
WHERE a._sf_class IS NOT NULL
ORDER BY
    try_cast(a._sf_class AS DOUBLE) NULLS LAST, a._sf_class,
    try_cast(p._sf_class AS DOUBLE) NULLS LAST, p._sf_class NULLS LAST;
