-- title: How far the review is
-- answers: Who decided what, how many flags were right, and how many wrong labels are left?
-- param issues table = issues: a result of detect
-- param key column = id: the column that names a row
-- param label column = label: the label given
-- param log table = decisions: the decision log
-- param curve boolean = false: also how many wrong labels are left after how many rows more

WITH _log AS (FROM {{ log | ident }}), steps AS (
    SELECT
        *,
        sqlfuncs.main._sf_undone(reason) IS NOT NULL AS is_undo,
        epoch(decided_at - lag(decided_at) OVER (PARTITION BY decided_by ORDER BY decided_at)) AS gap
    FROM sqlfuncs.main._sf_log(_log)
)
SELECT
    decided_by,
    count(*) FILTER (action = 'keep' AND NOT is_undo) AS kept,
    count(*) FILTER (action = 'relabel' AND NOT is_undo) AS relabelled,
    count(*) FILTER (action = 'exclude' AND NOT is_undo) AS excluded,
    count(*) FILTER (action = 'needs_review' AND NOT is_undo) AS needs_review,
    count(*) FILTER (is_undo) AS undone,
    round(median(gap) FILTER (gap > 0), 1) AS seconds_each,
    max(decided_at) AS last_decided
FROM steps
GROUP BY ALL
ORDER BY decided_by;

-- Decisions of people; what auto_corrections wrote waits for one. A name of a WITH that is the table's would be taken for the table
-- where that is missing, and DuckDB would speak of a circle.
CREATE OR REPLACE TEMP TABLE _reviewed AS
WITH _issues AS (FROM {{ issues | ident }}), _log AS (
    FROM {{ log | ident }} WHERE sqlfuncs.main._sf_is_person(decided_by)
)
SELECT
    i.{{ key | ident }} AS key,
    coalesce(is_label_issue, false) AS is_flagged,
    _sf_is_decided AS is_decided,
    _sf_is_wrong AS is_wrong,
    _sf_is_random AS is_random,
    -- Of which review_curve reckons: rows that were judged and are not excluded.
    label_quality IS NOT NULL AND _sf_action IS DISTINCT FROM 'exclude' AS counts
FROM _issues AS i
JOIN sqlfuncs.main._sf_reviewed(_issues, _log, {{ key | ident }}, {{ label | ident }})
    ON _sf_row = i.{{ key | ident }}::VARCHAR;

SELECT
    count(*) AS "rows",
    count(*) FILTER (is_decided) AS reviewed,
    count(*) FILTER (is_wrong) AS wrong,
    count(*) FILTER (is_flagged) AS flagged,
    count(*) FILTER (is_flagged AND is_decided) AS flags_reviewed,
    count(*) FILTER (is_flagged AND is_wrong) AS flags_right,
    round(flags_right / nullif(flags_reviewed, 0), 3) AS "precision",
    round(sqlfuncs.main._sf_wilson(flags_right, nullif(flags_reviewed, 0), -1), 3) AS precision_low,
    round(sqlfuncs.main._sf_wilson(flags_right, nullif(flags_reviewed, 0), 1), 3) AS precision_high
FROM _reviewed;

SELECT
    count(*) FILTER (is_random) AS random_rows_reviewed,
    count(*) FILTER (is_random AND is_wrong) AS wrong_among_them,
    CASE
        WHEN random_rows_reviewed < 20 THEN
            'Review 20 rows of review_queue order=random or more, and this says how many wrong labels are left.'
        ELSE printf(
            'Of %d rows that nobody has looked at, %.0f to %.0f have wrong labels (95 %%). curve=true says how many more to review.',
            count(*) FILTER (NOT is_decided),
            greatest(0, coalesce(sqlfuncs.main._sf_errors_left(
                wrong_among_them, random_rows_reviewed, count(*) - random_rows_reviewed,
                count(*) FILTER (is_wrong AND NOT is_random), -1
            ), 0)),
            least(count(*) FILTER (NOT is_decided), greatest(0, coalesce(sqlfuncs.main._sf_errors_left(
                wrong_among_them, random_rows_reviewed, count(*) - random_rows_reviewed,
                count(*) FILTER (is_wrong AND NOT is_random), 1
            ), 0)))
        )
    END AS wrong_labels_left
FROM _reviewed
WHERE counts;

{% if curve %}
WITH _issues AS (FROM {{ issues | ident }}), _log AS (
    FROM {{ log | ident }} WHERE sqlfuncs.main._sf_is_person(decided_by)
), _drawn AS (
    SELECT key FROM _reviewed WHERE is_random
)
SELECT
    reviewed,
    round(errors_left) AS errors_left,
    round(errors_left_low) AS errors_left_low,
    round(errors_left_high) AS errors_left_high,
    round("precision", 3) AS "precision"
FROM review_curve(_issues, _log, {{ key | ident }}, {{ label | ident }}, sample := _drawn, points := 10);
{% endif %}

DROP TABLE _reviewed;
