-- title: Who decided what
-- answers: Decisions in the log by who made them; those that were taken back are counted, too.

WITH steps AS (
    SELECT
        *,
        sqlfuncs.main._sf_undone(reason) IS NOT NULL AS is_undo,
        epoch(decided_at - lag(decided_at) OVER (PARTITION BY decided_by ORDER BY decided_at)) AS gap
    FROM report_log
)
SELECT
    decided_by,
    count(*) FILTER (action = 'relabel' AND NOT is_undo) AS relabelled,
    count(*) FILTER (action = 'keep' AND NOT is_undo) AS kept,
    count(*) FILTER (action = 'exclude' AND NOT is_undo) AS excluded,
    count(*) FILTER (action = 'needs_review' AND NOT is_undo) AS left_for_later,
    count(*) FILTER (is_undo) AS undone,
    round(median(gap) FILTER (gap > 0), 1) AS seconds_each,
    min(decided_at) AS first_decided,
    max(decided_at) AS last_decided
FROM steps
GROUP BY ALL
ORDER BY decided_by;
