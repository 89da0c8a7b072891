-- title: Take a reviewer's answers
-- answers: What did a reviewer change, whose answers stand in a column of their own?
-- param table table = train: the table that was reviewed; it is not changed
-- param key column = id: the column that names a row, in both tables
-- param label column = label: the label given
-- param answers table = answers: the table with the reviewer's answers
-- param answer column = label: the column of the answers
-- param reviewer text = reviewer: who answered
-- param log table = reviewed_decisions: the decision log; decisions that are in force are not repeated
-- param into table = reviewed: the corrected table to make

CREATE TABLE IF NOT EXISTS {{ log | ident }} (
    key VARCHAR, action VARCHAR, old_label VARCHAR, new_label VARCHAR,
    decided_by VARCHAR, reason VARCHAR, decided_at TIMESTAMP
);

INSERT INTO {{ log | ident }} BY NAME
SELECT
    t.{{ key | ident }}::VARCHAR AS key,
    'relabel' AS action,
    t.{{ label | ident }}::VARCHAR AS old_label,
    a.{{ answer | ident }}::VARCHAR AS new_label,
    {{ reviewer | literal }} AS decided_by,
    'answered in ' || {{ answers | literal }} AS reason,
    now()::TIMESTAMP AS decided_at
FROM {{ table | ident }} AS t
JOIN {{ answers | ident }} AS a ON a.{{ key | ident }} = t.{{ key | ident }}
WHERE a.{{ answer | ident }}::VARCHAR <> t.{{ label | ident }}::VARCHAR
    AND NOT EXISTS (
        FROM {{ log | ident }} AS l
        WHERE l.key = t.{{ key | ident }}::VARCHAR
            AND l.new_label = a.{{ answer | ident }}::VARCHAR
    );

CREATE OR REPLACE TABLE {{ into | ident }} AS
WITH input AS (FROM {{ table | ident }}), log AS (FROM {{ log | ident }})
FROM apply_corrections(input, log, {{ key | ident }}, {{ label | ident }});

WITH input AS (FROM {{ table | ident }}), log AS (FROM {{ log | ident }})
SELECT old_label, new_label, count(*) AS changes
FROM corrections_diff(input, log, {{ key | ident }}, {{ label | ident }})
GROUP BY ALL
ORDER BY changes DESC;
