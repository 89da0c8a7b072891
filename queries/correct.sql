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
-- param risk number = 0.05: with decisions of review_queue purpose=verify in the log, how likely what is proposed may do harm
-- param precision number = : propose as many as are right for such a share, by the same decisions, at the same risk

{% if into == table %}{{ refuse("into has to name another table than the one that is corrected") }}{% endif %}
CREATE TABLE IF NOT EXISTS {{ log | ident }} (
    key VARCHAR, action VARCHAR, old_label VARCHAR, new_label VARCHAR,
    decided_by VARCHAR, reason VARCHAR, decided_at TIMESTAMP
);

-- What to add to the log: new proposals, those that have changed, and those withdrawn. A
-- decision of anybody else stands.
CREATE OR REPLACE TEMP TABLE _to_log AS
WITH issues AS (FROM {{ issues | ident }}), _log AS (FROM {{ log | ident }}), proposed AS MATERIALIZED (
    SELECT key::VARCHAR AS key, action, old_label::VARCHAR AS old_label,
        new_label::VARCHAR AS new_label, decided_by, reason, decided_at
    FROM auto_corrections(
        issues, {{ key | ident }}, {{ label | ident }},
        action := {{ action | literal }}, min_confidence := {{ min_confidence | literal }},
        log := _log, risk := {{ risk | literal }}, "precision" := {{ precision | literal }}
    )
), in_force AS (
    SELECT key, arg_max(
        {a: action, o: old_label, n: new_label, b: decided_by, r: sqlfuncs.main._sf_risk(reason)}, decided_at
    ) AS d
    FROM sqlfuncs.main._sf_log_of(issues, _log, {{ key | ident }}, {{ label | ident }})
    GROUP BY ALL
), changed AS (
    SELECT p.* FROM proposed AS p LEFT JOIN in_force AS f ON f.key = p.key
    WHERE f.key IS NULL OR (
        NOT sqlfuncs.main._sf_is_person(f.d.b)
        AND (f.d.a, f.d.n, f.d.r) IS DISTINCT FROM (p.action, p.new_label, sqlfuncs.main._sf_risk(p.reason))
    )
    UNION ALL
    SELECT f.key, 'keep', f.d.o, NULL, 'auto_corrections', 'no longer proposed', NULL
    FROM in_force AS f ANTI JOIN proposed AS p ON p.key = f.key
    WHERE NOT sqlfuncs.main._sf_is_person(f.d.b) AND f.d.a <> 'keep'
)
-- Later than all that is in the log, whatever the clock says.
SELECT * REPLACE ((SELECT decided_at FROM sqlfuncs.main._sf_now(_log)) AS decided_at)
FROM changed;

-- The table is made before the log is added to: if it cannot be, nothing has changed.
CREATE OR REPLACE TABLE {{ into | ident }} AS
WITH input AS (FROM {{ table | ident }}), log AS (
    FROM {{ log | ident }} UNION ALL BY NAME FROM _to_log
)
FROM apply_corrections(input, log, {{ key | ident }}, {{ label | ident }});

INSERT INTO {{ log | ident }} BY NAME FROM _to_log;

WITH issues AS (FROM {{ issues | ident }})
SELECT judged, round(agreement, 3) AS agreement, round(majority, 3) AS majority, can_judge, reason
FROM model_strength(issues, {{ label | ident }});

WITH input AS (FROM {{ table | ident }}), log AS (FROM {{ log | ident }})
SELECT action, old_label, new_label, count(*) AS changes
FROM corrections_diff(input, log, {{ key | ident }}, {{ label | ident }})
GROUP BY ALL
ORDER BY changes DESC;
