-- title: Take a reviewer's answers
-- answers: What did a reviewer change and keep, whose answers stand in a column of their own?
-- param table table = train: the table that was reviewed; it is not changed
-- param key column = id: the column that names a row, in both tables
-- param label column = label: the label given
-- param answers table = answers: the table with the reviewer's answers
-- param answer column = label: the column of the answers
-- param reviewer text = reviewer: who answered
-- param log table = reviewed_decisions: the decision log; decisions that are in force are not repeated
-- param into table = reviewed: the corrected table to make

{% if into == table %}{{ refuse("into has to name another table than the one that is read") }}{% endif %}
CREATE TABLE IF NOT EXISTS {{ log | ident }} (
    key STRING, action STRING, old_label STRING, new_label STRING,
    decided_by STRING, reason STRING, decided_at {{ "TIMESTAMP" | word }}
);

CREATE OR REPLACE TEMP TABLE _to_log AS
WITH _log AS (FROM {{ log | ident }}), input AS (FROM {{ table | ident }}), in_force AS (
    SELECT key, CASE action WHEN 'relabel' THEN new_label WHEN 'keep' THEN old_label END AS label,
        decided_by AS who
    FROM sqlfuncs.main._sf_log_of(input, _log, {{ key | ident }}, {{ label | ident }})
    QUALIFY row_number() OVER (PARTITION BY key ORDER BY decided_at DESC) = 1
), answered AS (
    SELECT
        t.{{ key | ident }}::STRING AS key,
        t.{{ label | ident }}::STRING AS given,
        sqlfuncs.main._sf_in_words(a.{{ answer | ident }}, t.{{ label | ident }}) AS answer
    FROM {{ table | ident }} AS t
    JOIN {{ answers | ident }} AS a ON a.{{ key | ident }} = t.{{ key | ident }}
)
SELECT
    answered.key,
    CASE WHEN answer = given THEN 'keep' ELSE 'relabel' END AS action,
    given AS old_label,
    CASE WHEN answer IS DISTINCT FROM given THEN answer END AS new_label,
    {{ reviewer | literal }} AS decided_by,
    'answered in ' || {{ answers | literal }} AS reason,
    (SELECT decided_at FROM sqlfuncs.main._sf_now(_log)) AS decided_at
FROM answered LEFT JOIN in_force ON in_force.key = answered.key
WHERE answer IS NOT NULL AND (in_force.label IS DISTINCT FROM answer OR NOT sqlfuncs.main._sf_is_person(in_force.who));

-- Answers that are no labels here are an error before any of them stands in the log.
INSERT INTO {{ log | ident }} BY NAME
WITH input AS (FROM {{ table | ident }}), _checked AS (
    SELECT count(*) AS _changes FROM corrections_diff(input, _to_log, {{ key | ident }}, {{ label | ident }})
)
SELECT _to_log.* FROM _to_log, _checked WHERE _changes >= 0;

CREATE OR REPLACE TABLE {{ into | ident }} AS
WITH input AS (FROM {{ table | ident }}), log AS (FROM {{ log | ident }})
FROM apply_corrections(input, log, {{ key | ident }}, {{ label | ident }});

WITH input AS (FROM {{ table | ident }}), log AS (FROM {{ log | ident }})
SELECT old_label, new_label, count(*) AS changes
FROM corrections_diff(input, log, {{ key | ident }}, {{ label | ident }})
GROUP BY ALL
ORDER BY changes DESC;
