-- title: Correct labels
-- answers: Which corrections does the model propose, and what does the table look like with them?
-- param table table = train: the table to correct; it is not changed
-- param issues table = issues: a result of detect on that table
-- param key column = id: the column that names a row
-- param label column = label: the label to correct
-- param log table = decisions: the decision log; what stands there is kept and wins
-- param into table = corrected: the corrected table to make
-- param action text = relabel: relabel, or exclude to drop the rows instead
-- param min_confidence number = 0: propose only suggestions at least this likely

CREATE TABLE IF NOT EXISTS {{ log | ident }} (
    key VARCHAR, action VARCHAR, old_label VARCHAR, new_label VARCHAR,
    decided_by VARCHAR, reason VARCHAR, decided_at TIMESTAMP
);

INSERT INTO {{ log | ident }} BY NAME
WITH issues AS (FROM {{ issues | ident }})
SELECT key::VARCHAR AS key, action, old_label::VARCHAR AS old_label,
    new_label::VARCHAR AS new_label, decided_by, reason, decided_at
FROM auto_corrections(
    issues, {{ key | ident }}, {{ label | ident }},
    action := {{ action | literal }}, min_confidence := {{ min_confidence | literal }}
)
WHERE key::VARCHAR NOT IN (SELECT key FROM {{ log | ident }});

CREATE OR REPLACE TABLE {{ into | ident }} AS
WITH input AS (FROM {{ table | ident }}), log AS (FROM {{ log | ident }})
FROM apply_corrections(input, log, {{ key | ident }}, {{ label | ident }});

WITH issues AS (FROM {{ issues | ident }})
SELECT judged, round(agreement, 3) AS agreement, round(majority, 3) AS majority, can_judge, reason
FROM model_strength(issues, {{ label | ident }});

WITH input AS (FROM {{ table | ident }}), log AS (FROM {{ log | ident }})
SELECT action, old_label, new_label, count(*) AS changes
FROM corrections_diff(input, log, {{ key | ident }}, {{ label | ident }})
GROUP BY ALL
ORDER BY changes DESC;
