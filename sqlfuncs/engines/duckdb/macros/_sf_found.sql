-- Internal: a label_issues result, as the function `what` reads it, which takes the columns `needed`; an error that
-- names those that a table lacks. A table without rows is taken as it is.
_sf_found(tbl, what, needed) AS TABLE
WITH _sf_first AS (
    SELECT list_transform(struct_keys(_sf_in), lambda _sf_n: lower(_sf_n)) AS _sf_names FROM query_table(tbl) AS _sf_in LIMIT 1
), _sf_missing AS (
    SELECT list_filter(needed, lambda _sf_c: NOT list_contains(_sf_names, _sf_c)) AS _sf_columns
    FROM _sf_first
), _sf_read AS (
    FROM query_table(tbl)
    UNION ALL BY NAME
    SELECT NULL AS label_quality, NULL AS is_label_issue, NULL AS suggested_label, NULL AS suggested_confidence,
        NULL AS class_probs, NULL AS not_judged
    WHERE false
)
SELECT *
FROM _sf_read
WHERE coalesce((
    SELECT CASE
        WHEN len(_sf_columns) > 0 THEN error(
            what || ' reads a result of label_issues, and the table has no ' || array_to_string(_sf_columns, ', ')
            || '. Make one first, CREATE TABLE issues AS FROM label_issues(my_table, x, label), and name it instead.'
        )
        ELSE true
    END
    FROM _sf_missing
), true);
