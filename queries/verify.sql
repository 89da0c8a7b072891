-- title: Verify a sample
-- answers: What do a reviewer's answers, in a table of their own, say of the corrections that the model would make?
-- param table table = train: the table to correct; it is not changed
-- param issues table = issues: a result of detect on that table
-- param key column = id: the column that names a row, in both tables
-- param label column = label: the label given
-- param answers table = answers: the table with the reviewer's answers, for some rows or for all
-- param answer column = label: the column of the answers
-- param reviewer text = reviewer: who answered
-- param log table = decisions: the decision log, which is only added to
-- param task text = auto: what labels are where their type does not tell: classification, multilabel, regression or token_classification
-- param budget integer = 60: how many rows in all; those that were answered before count

{% if budget is none or budget < 1 %}{{ refuse("budget is how many rows: 1 or more") }}{% endif %}
CREATE TABLE IF NOT EXISTS {{ log | ident }} (
    key STRING, action STRING, old_label STRING, new_label STRING,
    decided_by STRING, reason STRING, decided_at {{ "TIMESTAMP" | word }}
);

-- The first rows of review_queue purpose=verify, in its order, as far as they are answered.
CREATE OR REPLACE TEMP TABLE _to_log AS
WITH _log AS (FROM {{ log | ident }}), _issues AS (FROM {{ issues | ident }}), _decided AS (
    SELECT key
    FROM sqlfuncs.main._sf_log_of(_issues, _log, {{ key | ident }}, {{ label | ident }})
    WHERE key IS NOT NULL AND sqlfuncs.main._sf_is_person(decided_by)
    GROUP BY key
    HAVING max_by(action <> 'needs_review', decided_at)
), _drawn AS (
    SELECT {{ key | ident }} AS _key, {{ label | ident }} AS _given,
        row_number() OVER (ORDER BY _order) AS _rank
    FROM (SELECT *, sqlfuncs.main._sf_random_order({{ key | ident }}) AS _order FROM sqlfuncs.main._candidates(
        _issues, {{ label | ident }}, {% if engine == "spark" %}class_probs{% else %}sqlfuncs.main._sf_probs(class_probs){% endif %},
        not_judged, is_label_issue, suggested_label, suggested_confidence
        {%- if task != "auto" and engine != "spark" %}, task := {{ task | literal }}{% endif %}

    ))
    WHERE _sf_candidate
), _answered AS (
    SELECT _key::STRING AS key, _given::STRING AS given, _rank,
        sqlfuncs.main._sf_in_words(a.{{ answer | ident }}, _given) AS answer
    FROM _drawn LEFT JOIN {{ answers | ident }} AS a ON a.{{ key | ident }} = _key
)
SELECT
    key,
    CASE WHEN answer = given THEN 'keep' ELSE 'relabel' END AS action,
    given AS old_label,
    CASE WHEN answer IS DISTINCT FROM given THEN answer END AS new_label,
    {{ reviewer | literal }} AS decided_by,
    'answered in ' || {{ answers | literal }} AS reason,
    (SELECT decided_at FROM sqlfuncs.main._sf_now(_log)) AS decided_at
FROM _answered
-- A row without an answer ends the sample: what comes after it was not drawn.
WHERE _rank < coalesce((SELECT min(_rank) FROM _answered WHERE answer IS NULL), 9223372036854775807)
    AND _rank <= {{ budget | literal }} AND key NOT IN (SELECT key FROM _decided);

-- Answers that are no labels here are an error before any of them stands in the log.
INSERT INTO {{ log | ident }} BY NAME
WITH _issues AS (FROM {{ issues | ident }}), _checked AS (
    SELECT count(*) AS _changes FROM corrections_diff(_issues, _to_log, {{ key | ident }}, {{ label | ident }})
)
SELECT _to_log.* FROM _to_log, _checked WHERE _changes >= 0;

WITH _log AS (FROM {{ log | ident }}), _issues AS (FROM {{ issues | ident }})
SELECT
    count(*) AS answered,
    count(*) FILTER (WHERE l.action = 'relabel' AND l.new_label = i.suggested_label::STRING) AS suggestion_right,
    count(*) FILTER (WHERE l.action = 'keep') AS label_right
FROM sqlfuncs.main._sf_log_of(_issues, _log, {{ key | ident }}, {{ label | ident }}) AS l
    JOIN _issues AS i ON i.{{ key | ident }}::STRING = l.key
WHERE l.decided_by = {{ reviewer | literal }} AND l.reason = 'answered in ' || {{ answers | literal }};
