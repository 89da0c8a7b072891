-- Decisions to propose, as rows of a decision log, from a label_issues result: key, action,
-- old_label, new_label, decided_by, reason, decided_at (in UTC). Proposed are the flagged rows whose
-- suggestion is more likely right than the given label once the noise in the labels is reckoned
-- in, and at least `min_confidence` likely. `action` is 'relabel', or 'exclude' to drop those
-- rows instead. Nothing is proposed where the model is too weak to judge, or the labels show too
-- little noise to tell it from the model's own errors; model_strength says why. It cannot tell a
-- wrong label from a hard row: have somebody look at a sample before applying many.
auto_corrections(issues, key, label, action := 'relabel', min_confidence := 0.0) AS TABLE
WITH _sf_rows AS (
    SELECT
        row_number() OVER () AS _sf_n,
        key AS _sf_key,
        label AS _sf_old,
        suggested_label AS _sf_new,
        suggested_confidence AS _sf_confidence,
        sqlfuncs.main._sf_probability(class_probs, label) AS _sf_given,
        sqlfuncs.main._sf_probability(class_probs, suggested_label) AS _sf_other,
        _sf_proposed
    FROM sqlfuncs.main._proposals(
        issues, label, sqlfuncs.main._sf_probs(class_probs), not_judged, is_label_issue, suggested_label
    ) AS _sf_in
), _sf_checked AS (
    SELECT
        CASE
            WHEN min_confidence NOT BETWEEN 0 AND 1 THEN error(
                'auto_corrections: min_confidence := ' || min_confidence || ' is no probability. '
                || 'It lies between 0 and 1.'
            )
            WHEN action NOT IN ('relabel', 'exclude') THEN error(
                'auto_corrections: action := ''' || action || ''' is not known. '
                || 'It may be ''relabel'' or ''exclude''.'
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
    printf('%s has probability %.3f, the given %s %.3f',
        _sf_new::VARCHAR, _sf_other, _sf_old::VARCHAR, _sf_given) AS reason,
    now() AT TIME ZONE 'UTC' AS decided_at
FROM _sf_checked, _sf_rows
WHERE _sf_fine
    AND _sf_proposed
    AND _sf_confidence >= coalesce(min_confidence, 0)
ORDER BY _sf_n;
