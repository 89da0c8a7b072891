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
-- param task text = auto: what labels are where their type does not tell: classification, multilabel, regression or token_classification
-- param precision number = : propose as many as are right for such a share, by the same decisions, at the same risk

{% if into == table %}{{ refuse("into has to name another table than the one that is corrected") }}{% endif %}
CREATE TABLE IF NOT EXISTS {{ log | ident }} (
    key STRING, action STRING, old_label STRING, new_label STRING,
    decided_by STRING, reason STRING, decided_at {{ "TIMESTAMP" | word }}
);

-- What to add to the log: new proposals, those that have changed, and those withdrawn. A
-- decision of anybody else stands.
CREATE OR REPLACE TEMP TABLE _to_log AS
WITH issues AS (FROM {{ issues | ident }}), _log AS (FROM {{ log | ident }}), proposed AS {{ "MATERIALIZED" | word }} (
    SELECT key::STRING AS key, action, old_label::STRING AS old_label,
        new_label::STRING AS new_label, decided_by, reason
    FROM auto_corrections(
        issues, {{ key | ident }}, {{ label | ident }},
        action := {{ action | literal }}, min_confidence := {{ min_confidence | literal }},
        log := _log, risk := {{ risk | literal }}, {{ "precision" | ident }} := {{ precision | literal }}
        {%- if task != "auto" %}, task := {{ task | literal }}{% endif %}

    )
), in_force AS (
    SELECT key, action, old_label, new_label, decided_by, sqlfuncs.main._sf_risk(reason) AS risk
    FROM sqlfuncs.main._sf_log_of(issues, _log, {{ key | ident }}, {{ label | ident }})
    QUALIFY row_number() OVER (PARTITION BY key ORDER BY decided_at DESC) = 1
), changed AS (
    SELECT p.* FROM proposed AS p LEFT JOIN in_force AS f ON f.key = p.key
    WHERE f.key IS NULL OR (
        NOT sqlfuncs.main._sf_is_person(f.decided_by) AND (
            f.action IS DISTINCT FROM p.action OR f.new_label IS DISTINCT FROM p.new_label
            OR f.risk IS DISTINCT FROM sqlfuncs.main._sf_risk(p.reason)
        )
    )
    UNION ALL
    SELECT f.key, 'keep', f.old_label, NULL, 'auto_corrections', 'no longer proposed'
    FROM in_force AS f ANTI JOIN proposed AS p ON p.key = f.key
    WHERE NOT sqlfuncs.main._sf_is_person(f.decided_by) AND f.action <> 'keep'
)
-- Later than all that is in the log, whatever the clock says.
SELECT *, (SELECT decided_at FROM sqlfuncs.main._sf_now(_log)) AS decided_at
FROM changed;

-- The table is made before the log is added to: if it cannot be, nothing has changed.
CREATE OR REPLACE TABLE {{ into | ident }} AS
WITH input AS (FROM {{ table | ident }}), _log AS (FROM {{ log | ident }}), log AS (
    SELECT key::STRING AS key, action, old_label::STRING AS old_label, new_label::STRING AS new_label,
        decided_by, reason, _sf_given AS decided_at
    FROM sqlfuncs.main._sf_log(_log)
    UNION ALL
    SELECT key, action, old_label, new_label, decided_by, reason, decided_at FROM _to_log
)
FROM apply_corrections(input, log, {{ key | ident }}, {{ label | ident }});

INSERT INTO {{ log | ident }} BY NAME SELECT * FROM _to_log;

WITH issues AS (FROM {{ issues | ident }})
SELECT judged, round(agreement, 3) AS agreement, round(majority, 3) AS majority, can_judge, reason
FROM model_strength(issues, {{ label | ident }}{% if task != "auto" %}, task := {{ task | literal }}{% endif %});

WITH input AS (FROM {{ table | ident }}), log AS (FROM {{ log | ident }})
SELECT action, old_label, new_label, count(*) AS changes
FROM corrections_diff(input, log, {{ key | ident }}, {{ label | ident }})
GROUP BY ALL
ORDER BY changes DESC;
