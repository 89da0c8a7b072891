-- title: What to review first
-- answers: Which rows should a person look at, the most doubtful first?
-- param issues table = issues: a result of detect
-- param key column = id: the column that names a row
-- param text column = text: what to read
-- param label column = label: the label given
-- param log table = : a decision log; rows that somebody has decided there are left out
-- param budget integer = 10: how many rows

SELECT
    {{ key | ident }},
    {{ label | ident }} AS given,
    suggested_label AS suggested,
    round(label_quality, 3) AS label_quality,
    {{ text | ident }}
FROM {{ issues | ident }} AS i
WHERE is_label_issue
    {% if log %}
    AND NOT EXISTS (
        FROM {{ log | ident }} AS decision
        WHERE decision.key = i.{{ key | ident }}::VARCHAR
            AND action IN ('relabel', 'keep', 'exclude')
            AND decided_by <> 'auto_corrections'
    )
    {% endif %}
ORDER BY label_quality, {{ key | ident }}
LIMIT {{ budget | literal }};
