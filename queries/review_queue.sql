-- title: What to review first
-- answers: Which rows should a person look at, the most doubtful first?
-- param issues table = issues: a result of detect
-- param key column = id: the column that names a row
-- param text column = text: what to read
-- param label column = label: the label given
-- param log table = decisions: the decision log; rows decided there are left out
-- param budget integer = 10: how many rows

CREATE TABLE IF NOT EXISTS {{ log | ident }} (
    key VARCHAR, action VARCHAR, old_label VARCHAR, new_label VARCHAR,
    decided_by VARCHAR, reason VARCHAR, decided_at TIMESTAMP
);

SELECT
    {{ key | ident }},
    {{ label | ident }} AS given,
    suggested_label AS suggested,
    round(label_quality, 3) AS label_quality,
    {{ text | ident }}
FROM {{ issues | ident }}
WHERE is_label_issue
    AND {{ key | ident }}::VARCHAR NOT IN (
        SELECT key FROM {{ log | ident }}
        WHERE action IN ('relabel', 'keep', 'exclude') AND decided_by <> 'auto_corrections'
    )
ORDER BY label_quality, {{ key | ident }}
LIMIT {{ budget | literal }};
