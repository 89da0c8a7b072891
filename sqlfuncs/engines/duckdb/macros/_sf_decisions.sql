-- Internal: the decisions in force, one per key, checked against the table they are about.
-- Keys and labels are compared as text, so that a log of VARCHAR keys serves any table.
_sf_decisions(tbl, log, key, label, as_of) AS TABLE
WITH _sf_rows AS (
    SELECT
        sqlfuncs.main._sf_bare(key)::VARCHAR AS _sf_key,
        (label)::VARCHAR AS _sf_label,
        CASE
            WHEN list_contains(struct_keys(_sf_in), alias(label)) THEN true
            ELSE error('label has to be a column of the table, written bare; '
                || alias(label) || ' is not one')
        END AS _sf_is_column
    FROM query_table(tbl) AS _sf_in
), _sf_logged AS (
    SELECT
        _sf_l.key::VARCHAR AS _sf_key, _sf_l.action AS _sf_action,
        _sf_l.old_label::VARCHAR AS _sf_old, _sf_l.new_label::VARCHAR AS _sf_new,
        _sf_l.decided_by AS _sf_by, _sf_l.decided_at AS _sf_at
    FROM sqlfuncs.main._sf_log(log) AS _sf_l
    WHERE as_of IS NULL OR _sf_l.decided_at <= sqlfuncs.main._sf_until(as_of, _sf_l._sf_has_zone)
), _sf_latest AS (
    SELECT _sf_key, _sf_action, _sf_old, _sf_new, any_value(_sf_by) AS _sf_by, _sf_at
    FROM _sf_logged
    GROUP BY _sf_key, _sf_action, _sf_old, _sf_new, _sf_at
    QUALIFY rank() OVER (PARTITION BY _sf_key ORDER BY _sf_at DESC) = 1
), _sf_keys AS (
    SELECT _sf_key, count(*) AS _sf_n, any_value(_sf_label) AS _sf_label
    FROM _sf_rows
    WHERE _sf_is_column
    GROUP BY _sf_key
), _sf_typed AS (
    SELECT any_value(label) AS _sf_exemplar FROM query_table(tbl) AS _sf_in
), _sf_problems AS (
    SELECT 1 AS _sf_rank, 'keys that stand in the table more than once' AS _sf_what,
        _sf_key || ' (' || _sf_n || ' rows)' AS _sf_item
    FROM _sf_keys WHERE _sf_n > 1 AND _sf_key IS NOT NULL
    UNION ALL
    SELECT 2, 'keys with several decisions of the same moment that differ', _sf_key
    FROM _sf_latest GROUP BY _sf_key HAVING count(*) > 1
    UNION ALL
    SELECT 4, 'decisions with an action other than relabel, keep, exclude, needs_review',
        coalesce(_sf_key, 'NULL') || ' (' || coalesce(_sf_action, 'NULL') || ')'
    FROM _sf_latest
    WHERE coalesce(_sf_action, '') NOT IN ('relabel', 'keep', 'exclude', 'needs_review')
    UNION ALL
    SELECT 5, 'decisions to relabel without a new_label', _sf_key
    FROM _sf_latest WHERE _sf_action = 'relabel' AND _sf_new IS NULL
    UNION ALL
    SELECT 6, 'decisions about keys that are not in the table', d._sf_key
    FROM _sf_latest AS d LEFT JOIN _sf_keys AS k ON k._sf_key = d._sf_key
    WHERE k._sf_key IS NULL
    UNION ALL
    SELECT 7, 'decisions whose old_label is no longer the label',
        d._sf_key || ' (old_label ' || coalesce(d._sf_old, 'NULL') || ', now '
        || coalesce(k._sf_label, 'NULL') || ')'
    FROM _sf_latest AS d JOIN _sf_keys AS k ON k._sf_key = d._sf_key
    WHERE d._sf_old IS DISTINCT FROM k._sf_label
    UNION ALL
    SELECT 8, 'decisions whose new_label is no value of the label''s type',
        _sf_key || ' (' || _sf_new || ')'
    FROM _sf_latest, _sf_typed
    WHERE _sf_action = 'relabel' AND _sf_new IS NOT NULL
        AND TRY(cast_to_type(_sf_new, _sf_exemplar)) IS NULL
), _sf_first AS (
    SELECT _sf_rank, _sf_what, count(*) AS _sf_n, min(coalesce(_sf_item, 'NULL'), 10) AS _sf_items
    FROM _sf_problems
    GROUP BY _sf_rank, _sf_what
    ORDER BY _sf_rank
    LIMIT 1
), _sf_verdict AS (
    SELECT any_value(
        'nothing was applied: ' || _sf_what || ': ' || array_to_string(_sf_items, ', ')
        || CASE WHEN _sf_n > 10 THEN ', ... (' || _sf_n || ' in all)' ELSE '' END
        || CASE
            WHEN _sf_rank IN (6, 7)
            THEN '. A log belongs to one table: another one, or a corrected one, has its own.'
            ELSE ''
        END
    ) AS _sf_message
    FROM _sf_first
)
SELECT _sf_key, _sf_action, _sf_old, _sf_new, _sf_by
FROM _sf_latest, _sf_verdict
WHERE CASE WHEN _sf_message IS NULL THEN true ELSE error(_sf_message) END;
