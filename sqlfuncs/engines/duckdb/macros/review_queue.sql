-- The `budget` rows a person should review first, in order of `review_rank`: all columns of the
-- table, then review_rank (1 first), label_quality (0 worst, 1 best), is_label_issue,
-- suggested_label, predicted_label and class_probs, as in label_issues. With `log`, a decision
-- log, decided rows leave the queue (needs_review does not decide), the model learns from the
-- labels as decided, and what reviewed rows turned out to be re-ranks the others. A stale
-- old_label, an unknown or duplicate key is an error that lists them.
-- `votes`, `annotator`, `task` and `ordered` are those of label_issues.
-- With purpose := 'verify' these are rows that auto_corrections would correct, in a random order
-- that is the same for everybody, judged by the labels as given: what people decide of them in that
-- order is the sample that auto_corrections(..., log := decisions) rests on.
review_queue(
    tbl, x, label, key, votes := NULL, annotator := NULL, budget := 100, log := NULL, purpose := 'find',
    model := 'fast', folds := 5, seed := 0, task := 'auto',
    ordered := NULL
) AS TABLE
WITH _sf_decided AS MATERIALIZED (
    FROM sqlfuncs.main._sf_decisions(tbl, coalesce(log, 'sqlfuncs.main._sf_no_log'), key, label, NULL)
), _sf_known AS (
    -- Never empty: DuckDB 2.0.0 takes what is joined to an empty table for a single row.
    SELECT
        _sf_key,
        -- What is proposed on the ground of a sample is no part of it.
        CASE WHEN coalesce(purpose, 'find') <> 'verify' OR sqlfuncs.main._sf_is_person(_sf_by) THEN _sf_action END
            AS _sf_action,
        _sf_new_label
    FROM _sf_decided
    UNION ALL
    SELECT NULL, NULL, NULL
), _sf_joined AS (
    -- Not sorted here: that would copy the rows, however wide they are.
    -- Nobody can decide about a row without a key: no sample waits for it.
    SELECT _sf_in.*,
        if((key) IS NULL AND purpose = 'verify', 'keep', _sf_action) AS _sf_action,
        _sf_new_label,
        (key)::VARCHAR AS _sf_key_text
    FROM query_table(tbl) AS _sf_in LEFT JOIN _sf_known ON _sf_key = (key)::VARCHAR
)
SELECT * EXCLUDE (_sf_action, _sf_new_label, _sf_key_text)
FROM sqlfuncs.main._review_queue(
    _sf_joined, x, label, _sf_action, _sf_new_label, _sf_key_text,
    votes := votes, annotator := annotator, budget := budget, purpose := purpose, model := model,
    folds := folds, seed := seed, task := task, ordered := ordered
)
-- Cast, so that this is not asked of the table's rows before they are read: of a column of that name in
-- the table none might be left, and the clash would not be seen.
WHERE TRY_CAST((review_rank)::VARCHAR AS BIGINT) <= coalesce(budget, 100)
ORDER BY review_rank;
