-- Internal: auto_corrections of a table of which `issues` holds all flagged and all reviewed rows. What the
-- noise is like is learned from those that are `drawn` at random, from all where that is NULL.
_sf_auto_corrections(
    issues, key, label, action := 'relabel', min_confidence := 0.0, log := NULL, risk := 0.05,
    "precision" := NULL, task := 'auto', drawn := NULL
) AS TABLE
WITH _sf_issues AS (
    FROM sqlfuncs.main._sf_found(
        issues, 'auto_corrections',
        ['class_probs', 'not_judged', 'is_label_issue', 'suggested_label', 'suggested_confidence']
    )
), _sf_rows AS (
    SELECT
        row_number() OVER () AS _sf_n,
        key AS _sf_key,
        label AS _sf_old,
        suggested_label AS _sf_new,
        CASE WHEN typeof(label) <> 'VARCHAR[]' THEN sqlfuncs.main._sf_probability(class_probs, label) END
            AS _sf_given,
        CASE
            WHEN typeof(label) <> 'VARCHAR[]' THEN sqlfuncs.main._sf_probability(class_probs, suggested_label)
        END AS _sf_other,
        suggested_confidence AS _sf_confidence,
        if(key IS NULL, false, _sf_proposed) AS _sf_proposed,
        _sf_evidence
    FROM sqlfuncs.main._proposals(
        _sf_issues, label, sqlfuncs.main._sf_probs(class_probs), not_judged,
        is_label_issue AND suggested_confidence >= coalesce(min_confidence, 0), suggested_label,
        suggested_confidence,
        action := action, risk := risk, "precision" := "precision", task := task,
        key := key, log := coalesce(log, 'sqlfuncs.main._sf_no_log'),
        drawn := drawn
    ) AS _sf_in
), _sf_checked AS (
    SELECT
        CASE
            WHEN min_confidence NOT BETWEEN 0 AND 1 THEN error(
                'auto_corrections: min_confidence := ' || min_confidence || ' is no probability. '
                || 'It lies between 0 and 1.'
            )
            ELSE true
        END AS _sf_fine
)
SELECT
    _sf_key AS key,
    coalesce(action, 'relabel') AS action,
    _sf_old AS old_label,
    CASE coalesce(action, 'relabel') WHEN 'relabel' THEN _sf_new END AS new_label,
    'auto_corrections' AS decided_by,
    CASE
        WHEN _sf_given IS NOT NULL THEN printf('%s has probability %.3f, the given %s %.3f',
            _sf_new::VARCHAR, _sf_other, _sf_old::VARCHAR, _sf_given)
        ELSE printf('%s is nearer to the truth than the given %s with probability %.3f',
            _sf_new::VARCHAR, _sf_old::VARCHAR, _sf_confidence)
    END
        || coalesce('; ' || _sf_evidence, '') AS reason,
    now() AT TIME ZONE 'UTC' AS decided_at
FROM _sf_checked, _sf_rows
WHERE _sf_fine
    AND _sf_proposed
ORDER BY _sf_n;
