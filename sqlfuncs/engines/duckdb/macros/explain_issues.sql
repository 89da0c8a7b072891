-- Why rows of a label_issues result are flagged: the `budget` worst of them, the worst first, with
-- all their columns and speaks_for_given and speaks_for_suggested (the words or fields that speak
-- most for one class and against the other; empty where x has none), like_given and like_suggested
-- (the keys of the rows most alike among the better half of each class; empty where rows are not
-- compared) and votes (which class each head of the model gives the row). The heads are trained on
-- rows that are not flagged, so that none has seen a label that it explains. `votes` are those of label_issues.
explain_issues(issues, x, label, key, votes := NULL, budget := 20, model := 'fast') AS TABLE
WITH _sf_read AS (
    FROM sqlfuncs.main._sf_found(issues, 'explain_issues', ['is_label_issue', 'suggested_label', 'label_quality'])
), _sf_checked AS (
    -- Whole numbers are classes by their type: that they were amounts is told by what they may be.
    SELECT CASE
        WHEN count(label_low) > 0 AND count(class_probs) = 0 THEN error(
            'explain_issues is about classes, and these labels are numbers: label_low and label_high say what they '
            || 'may be.'
        )
        ELSE true
    END AS _sf_fine
    FROM (FROM _sf_read UNION ALL BY NAME SELECT NULL AS label_low WHERE false)
), _sf_issues AS (
    SELECT * FROM _sf_read WHERE (SELECT _sf_fine FROM _sf_checked)
)
SELECT * EXCLUDE (_sf_rank)
FROM sqlfuncs.main._explanations(
    _sf_issues, x, label, key, is_label_issue, suggested_label, label_quality,
    votes := votes, budget := budget, model := model
) AS _sf_in
WHERE _sf_rank IS NOT NULL
ORDER BY _sf_rank;
