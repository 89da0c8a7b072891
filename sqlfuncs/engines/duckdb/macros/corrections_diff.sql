-- What apply_corrections would change, a row per change: key, old_label, new_label (NULL where
-- the row is excluded), action and decided_by.
corrections_diff(tbl, log, key, label, as_of := NULL) AS TABLE
WITH _sf_typed AS (
    SELECT any_value(key) AS _sf_any_key, any_value(label) AS _sf_any_label
    FROM query_table(tbl) AS _sf_in
)
SELECT
    cast_to_type(_sf_key, _sf_any_key) AS key,
    cast_to_type(_sf_old, _sf_any_label) AS old_label,
    CASE _sf_action WHEN 'relabel' THEN cast_to_type(_sf_new, _sf_any_label) END AS new_label,
    _sf_action AS action,
    _sf_by AS decided_by
FROM sqlfuncs.main._sf_decisions(tbl, log, key, label, as_of), _sf_typed
WHERE (_sf_action = 'relabel' AND _sf_new IS DISTINCT FROM _sf_old) OR _sf_action = 'exclude'
ORDER BY 1;
