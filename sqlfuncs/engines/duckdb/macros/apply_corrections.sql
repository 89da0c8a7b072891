-- The table with a decision log applied: labels replaced, excluded rows gone, all else as it
-- was. The latest decision per key wins; `as_of` applies only what was decided until then. A
-- stale old_label, an unknown or duplicate key is an error that lists them. Pure SQL.
apply_corrections(tbl, log, key, label, as_of := NULL) AS TABLE
WITH _sf_decided AS MATERIALIZED (
    FROM sqlfuncs.main._sf_decisions(tbl, log, key, label, as_of)
), _sf_numbered AS (
    SELECT row_number() OVER () AS _sf_n, (key)::VARCHAR AS _sf_key_text, *
    FROM query_table(tbl) AS _sf_in
), _sf_applied AS (
    SELECT
        -- For every column its own value, but for the label column the new label.
        CASE
            WHEN alias(COLUMNS('(?s)^(.*)$')) = alias(label) AND _sf_action = 'relabel'
            THEN cast_to_type(_sf_new, COLUMNS('(?s)^(.*)$'))
            ELSE COLUMNS('(?s)^(.*)$')
        END AS '\1'
    FROM _sf_numbered LEFT JOIN _sf_decided ON _sf_key = _sf_key_text
    WHERE _sf_action IS DISTINCT FROM 'exclude'
    ORDER BY _sf_n
)
SELECT * EXCLUDE (_sf_n, _sf_key_text, _sf_key, _sf_action, _sf_old, _sf_new, _sf_by, _sf_new_label)
FROM _sf_applied;
