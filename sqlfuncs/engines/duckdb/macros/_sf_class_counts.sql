-- Internal: for each class, how often it is the truth, is predicted, and both.
_sf_class_counts(tbl, actual, predicted) AS TABLE
WITH _sf_p AS MATERIALIZED (FROM sqlfuncs.main._sf_pairs(tbl, actual, predicted)), _sf_sides AS (
    SELECT _sf_actual AS _sf_class, _sf_n AS _sf_true, 0 AS _sf_said,
        CASE WHEN _sf_actual IS NOT DISTINCT FROM _sf_predicted THEN _sf_n ELSE 0 END AS _sf_hit
    FROM _sf_p
    UNION ALL
    SELECT _sf_predicted, 0, _sf_n, 0 FROM _sf_p WHERE _sf_predicted IS NOT NULL
)
SELECT
    _sf_class,
    sum(_sf_true)::BIGINT AS _sf_support,
    sum(_sf_said)::BIGINT AS _sf_predicted_n,
    sum(_sf_hit)::BIGINT AS _sf_hits,
    coalesce(sum(_sf_hit) / nullif(sum(_sf_said), 0), 0)::DOUBLE AS _sf_precision,
    coalesce(sum(_sf_hit) / nullif(sum(_sf_true), 0), 0)::DOUBLE AS _sf_recall,
    (2 * sum(_sf_hit) / (sum(_sf_true) + sum(_sf_said)))::DOUBLE AS _sf_f1
FROM _sf_sides
GROUP BY _sf_class;
