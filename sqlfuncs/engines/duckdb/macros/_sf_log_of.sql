-- Internal: a decision log as _sf_log reads it, its keys and labels in the words of the table that it is
-- about, whatever types both have: 3 is '3.0' where the table's keys are DOUBLE.
_sf_log_of(tbl, log, key, label) AS TABLE
WITH _sf_types AS (
    SELECT any_value(key) AS _sf_any_key, any_value(label) AS _sf_any_label
    FROM query_table(tbl) AS _sf_in
)
SELECT
    sqlfuncs.main._sf_in_words(_sf_l.key, _sf_any_key) AS key,
    _sf_l."action" AS "action",
    sqlfuncs.main._sf_in_words(_sf_l.old_label, _sf_any_label) AS old_label,
    sqlfuncs.main._sf_in_words(_sf_l.new_label, _sf_any_label) AS new_label,
    _sf_l.decided_by AS decided_by, _sf_l.reason AS reason, _sf_l.decided_at AS decided_at
FROM sqlfuncs.main._sf_log(log) AS _sf_l, _sf_types;
