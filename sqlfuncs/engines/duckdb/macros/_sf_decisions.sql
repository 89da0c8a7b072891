-- Internal: the decisions in force, one per key, checked against the table they are about. What keys and
-- labels of the log are among those of the table is decided as for all labels (_sf_canonical), whatever
-- the types of both; what comes out is in the table's own words, which cast back to its types. Where a
-- log `may_be_empty`, so that nothing is decided, label may be an expression then. What took back a step
-- before which nothing was decided leaves nothing in force. `_sf_new_label` is the new label as the computing
-- has it.
_sf_decisions(tbl, log, key, label, as_of, may_be_empty := false) AS TABLE
WITH _sf_logged AS (
    SELECT
        _sf_l.key AS _sf_key, _sf_l.action AS _sf_action, _sf_l.old_label AS _sf_old,
        _sf_l.new_label AS _sf_new, _sf_l.decided_by AS _sf_by, _sf_l.decided_at AS _sf_at,
        _sf_l.action = 'needs_review' AND sqlfuncs.main._sf_undone(_sf_l.reason) IS NOT NULL AS _sf_is_undone
    FROM sqlfuncs.main._sf_log(log) AS _sf_l
    WHERE as_of IS NULL OR _sf_l.decided_at <= sqlfuncs.main._sf_until(as_of, _sf_l._sf_has_zone)
), _sf_rows AS (
    SELECT
        sqlfuncs.main._sf_bare(key) AS _sf_key,
        sqlfuncs.main._sf_one_or_tags(label, alias(label)) AS _sf_label,
        list_contains(struct_keys(_sf_in), alias(label)) AS _sf_is_column,
        alias(label) AS _sf_given
    FROM query_table(tbl) AS _sf_in
), _sf_kinds_of_table AS (
    SELECT any_value(_sf_key) AS _sf_any_key, any_value(_sf_label) AS _sf_any_label,
        typeof(any_value(_sf_key)) AS _sf_key_type,
        sqlfuncs.main._sf_kind(typeof(any_value(_sf_key))) AS _sf_key_kind,
        sqlfuncs.main._sf_decided_kind(typeof(any_value(_sf_label))) AS _sf_label_kind
    FROM _sf_rows
), _sf_kinds_of_log AS (
    SELECT typeof(any_value(_sf_key)) AS _sf_log_type,
        sqlfuncs.main._sf_kind(typeof(any_value(_sf_key))) AS _sf_log_kind
    FROM _sf_logged
), _sf_kinds AS (
    -- Keys are compared as text, after a cast to the table's type; where that is text and the log's
    -- is not, 7 and '007' are one key, as for SQL's =.
    SELECT *, _sf_key_kind = 'text' AND _sf_log_kind NOT IN ('text', 'null', 'plain') AS _sf_by_form
    FROM _sf_kinds_of_table, _sf_kinds_of_log
), _sf_in_words AS (
    SELECT
        CASE
            WHEN _sf_by_form
            THEN sqlfuncs.main._sf_canonical(_sf_key, _sf_log_kind, _sf_key_kind || ' ' || _sf_log_kind, '')
            WHEN _sf_log_type = _sf_key_type THEN _sf_key::VARCHAR
            ELSE coalesce(
                sqlfuncs.main._sf_unrounded(_sf_key, _sf_log_kind, _sf_any_key, _sf_key_kind),
                _sf_key::VARCHAR
            )
        END AS _sf_key,
        _sf_action,
        _sf_old::VARCHAR AS _sf_old_text, sqlfuncs.main._sf_decided_kind(typeof(_sf_old)) AS _sf_old_kind,
        sqlfuncs.main._sf_canonical(
            _sf_old, sqlfuncs.main._sf_decided_kind(typeof(_sf_old)),
            _sf_label_kind || ' ' || sqlfuncs.main._sf_decided_kind(typeof(_sf_old)), _sf_any_label
        ) AS _sf_old,
        sqlfuncs.main._sf_canonical(
            _sf_new, sqlfuncs.main._sf_decided_kind(typeof(_sf_new)),
            _sf_label_kind || ' ' || sqlfuncs.main._sf_decided_kind(typeof(_sf_new)), _sf_any_label
        ) AS _sf_new,
        sqlfuncs.main._sf_decided_kind(typeof(_sf_new)) AS _sf_new_kind,
        sqlfuncs.main._sf_kind(typeof(_sf_new)) = 'nested' AS _sf_new_is_several,
        _sf_new::VARCHAR AS _sf_new_text,
        _sf_by, _sf_at, _sf_is_undone
    FROM _sf_logged, _sf_kinds
), _sf_latest AS (
    SELECT _sf_key, _sf_action, _sf_old, _sf_new, any_value(_sf_by) AS _sf_by, _sf_at,
        coalesce(bool_and(_sf_is_undone), false) AS _sf_is_undone,
        any_value(_sf_old_text) AS _sf_old_text, any_value(_sf_new_text) AS _sf_new_text,
        any_value(_sf_old_kind) AS _sf_old_kind, any_value(_sf_new_kind) AS _sf_new_kind,
        any_value(_sf_new_is_several) AS _sf_new_is_several
    FROM _sf_in_words
    GROUP BY _sf_key, _sf_action, _sf_old, _sf_new, _sf_at
    QUALIFY rank() OVER (PARTITION BY _sf_key ORDER BY _sf_at DESC) = 1
), _sf_keys AS (
    SELECT
        CASE
            WHEN _sf_by_form
            THEN sqlfuncs.main._sf_canonical(_sf_key, _sf_key_kind, _sf_key_kind || ' ' || _sf_log_kind, '')
            ELSE _sf_key::VARCHAR
        END AS _sf_key,
        any_value(_sf_key)::VARCHAR AS _sf_key_text, count(*) AS _sf_n, any_value(_sf_label) AS _sf_label
    FROM _sf_rows, _sf_kinds, (SELECT count(*) AS _sf_decisions FROM _sf_logged)
    WHERE CASE
        WHEN may_be_empty AND _sf_decisions = 0 THEN false
        WHEN _sf_is_column THEN true
        ELSE error(
            'label has to be a column of the table, written bare; ' || _sf_given || ' is not one'
        )
    END
    GROUP BY 1
), _sf_spellings AS (
    SELECT sqlfuncs.main._sf_canonical(_sf_label, _sf_label_kind, _sf_new_kinds, '') AS _sf_form,
        _sf_new_kinds, min(_sf_label::VARCHAR) AS _sf_spelling
    FROM (SELECT DISTINCT _sf_label FROM _sf_rows WHERE _sf_label IS NOT NULL), _sf_kinds_of_table,
        (SELECT DISTINCT _sf_label_kind || ' ' || _sf_new_kind AS _sf_new_kinds
            FROM _sf_latest, _sf_kinds_of_table WHERE _sf_action = 'relabel')
    GROUP BY ALL
), _sf_decided AS MATERIALIZED (
    SELECT
        d.* EXCLUDE (_sf_old),
        k._sf_n, k._sf_key_text, k._sf_label::VARCHAR AS _sf_label_text,
        k._sf_n IS NOT NULL AND d._sf_old IS DISTINCT FROM sqlfuncs.main._sf_canonical(
            k._sf_label, _sf_label_kind, _sf_label_kind || ' ' || d._sf_old_kind, d._sf_old_text
        ) AS _sf_is_stale,
        -- A label that stands in the table is spelt as there; a new one is cast, if nothing is rounded.
        coalesce(
            CASE WHEN _sf_label_kind IN ('text', 'json') THEN s._sf_spelling END,
            sqlfuncs.main._sf_unrounded(d._sf_new_text, d._sf_new_kind, _sf_any_label, _sf_label_kind)
        ) AS _sf_new_words
    FROM _sf_latest AS d CROSS JOIN _sf_kinds_of_table
    LEFT JOIN _sf_keys AS k ON k._sf_key = d._sf_key
    LEFT JOIN _sf_spellings AS s
        ON s._sf_form = d._sf_new AND s._sf_new_kinds = _sf_label_kind || ' ' || d._sf_new_kind
), _sf_problems AS (
    SELECT 0 AS _sf_rank, 'decisions, and nothing to tell which rows they are about. Give the column that '
        || 'names a row, as in key := id. They are about the keys' AS _sf_what, _sf_key AS _sf_item
    FROM _sf_latest, _sf_kinds_of_table WHERE _sf_key_kind = 'null'
    UNION ALL
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
    SELECT 6, 'decisions about keys that are not in the table', _sf_key
    FROM _sf_decided WHERE _sf_n IS NULL
    UNION ALL
    SELECT 7, 'decisions whose old_label is no longer the label',
        _sf_key || ' (old_label ' || coalesce(_sf_old_text, 'NULL') || ', now '
        || coalesce(_sf_label_text, 'NULL') || ')'
    FROM _sf_decided WHERE _sf_is_stale
    UNION ALL
    SELECT
        CASE WHEN TRY(cast_to_type(_sf_new_text, sqlfuncs.main._sf_typed(_sf_any_label))) IS NULL THEN 8 ELSE 9 END
            AS _sf_which,
        CASE _sf_which
            WHEN 8 THEN 'decisions whose new_label is no value of the label''s type, '
            ELSE 'decisions whose new_label would be rounded to be of the label''s type, '
        END
            || left(typeof(_sf_any_label), 80)
            || if(typeof(_sf_any_label) = 'VARCHAR[]', ', of which [first, second] is one', ''),
        _sf_key || ' (' || _sf_new_text || ')'
    FROM _sf_decided, _sf_kinds_of_table
    WHERE _sf_action = 'relabel' AND _sf_new_text IS NOT NULL AND _sf_new_words IS NULL
    UNION ALL
    SELECT 10, 'decisions whose new_label is NaN or infinite, which no label is', _sf_key || ' (' || _sf_new_text || ')'
    FROM _sf_decided, _sf_kinds_of_table
    WHERE _sf_action = 'relabel' AND (
        _sf_label_kind = 'float' AND NOT isfinite(TRY_CAST(_sf_new_words AS DOUBLE))
        OR _sf_new_kind = 'float' AND NOT isfinite(TRY_CAST(_sf_new_text AS DOUBLE))
    )
    UNION ALL
    SELECT 11, 'decisions whose new_label holds NULL or a blank text, which no tag and no label of a word is',
        _sf_key || ' (' || _sf_new_text || ')'
    FROM _sf_decided, _sf_kinds_of_table
    WHERE _sf_action = 'relabel' AND typeof(_sf_any_label) = 'VARCHAR[]' AND list_contains(list_transform(
        TRY_CAST(_sf_new_words AS VARCHAR[]), lambda _sf_t: coalesce(trim(_sf_t), '') = ''
    ), true)
    UNION ALL
    -- What is no label to label_issues: the label would be lost, and not corrected.
    SELECT 12, 'decisions whose new_label is blank, which no label is', _sf_key || ' (''' || _sf_new_text || ''')'
    FROM _sf_decided, _sf_kinds_of_table
    WHERE _sf_action = 'relabel' AND CASE _sf_label_kind
        WHEN 'text' THEN regexp_full_match(_sf_new_words, '\s*')
        WHEN 'json' THEN regexp_full_match(_sf_new_words, '"?\s*"?')
    END
    UNION ALL
    -- As text, a list would be a class of its own: '[a]'.
    SELECT 13, 'decisions whose new_label has several values, which no label of type ' || left(typeof(_sf_any_label), 80)
        || ' has. Name the one that is meant, such as new_label[1] or new_label.field',
        _sf_key || ' (' || _sf_new_text || ')'
    FROM _sf_decided, _sf_kinds_of_table
    WHERE _sf_action = 'relabel' AND _sf_label_kind IN ('text', 'json')
        AND (_sf_new_is_several OR _sf_label_kind = 'json' AND regexp_matches(_sf_new_words, '^\s*[\[{]'))
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
SELECT _sf_key_text AS _sf_key, _sf_action, _sf_label_text AS _sf_old,
    CASE WHEN _sf_action = 'relabel' THEN _sf_new_words ELSE _sf_new_text END AS _sf_new, _sf_by,
    sqlfuncs.main._sf_label_json(_sf_new, _sf_any_label) AS _sf_new_label
FROM _sf_decided, _sf_verdict, _sf_kinds_of_table
WHERE CASE WHEN _sf_message IS NULL THEN true ELSE error(_sf_message) END
    AND NOT _sf_is_undone;
