-- Why rows of a label_issues result are flagged: the `budget` worst of them, the worst first, with
-- all their columns and speaks_for_given and speaks_for_suggested (the words or fields that speak
-- most for one class and against the other; empty where x has none), like_given and like_suggested
-- (the keys of the rows most alike among the better half of each class; empty where rows are not
-- compared) and votes (which class each head of the model gives the row). The heads are trained on
-- rows that are not flagged, so that none has seen a label that it explains. `votes` are those of label_issues.
explain_issues(issues, x, label, key, votes := NULL, budget := 20, model := 'fast') AS TABLE
WITH _sf_issues AS (
    FROM sqlfuncs.main._sf_found(issues, 'explain_issues', ['is_label_issue', 'suggested_label', 'label_quality'])
)
SELECT * EXCLUDE (_sf_rank)
FROM sqlfuncs.main._explanations(
    _sf_issues, x, label, key, is_label_issue, suggested_label, label_quality,
    votes := votes, budget := budget, model := model
) AS _sf_in
WHERE _sf_rank IS NOT NULL
ORDER BY _sf_rank;
