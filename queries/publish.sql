-- title: Tables for a dashboard
-- answers: What was found and decided, and how good is the model, in plain tables for programs that only read the file?
-- param issues table = issues: a result of detect
-- param label column = label: the labels that it checked
-- param log table = : the decision log, if there is one
-- param key column = id: the column that names a row, in issues and in the log
-- param predictions table = : a result of evaluate, if there is one
-- param actual column = label: the true labels in predictions
-- param predicted column = predicted: what the model said there
-- param task text = auto: what labels are where their type does not tell: classification, multilabel, regression or token_classification
-- param prefix text = published: what the names of the tables begin with

-- No function of ours is called when these are read: tables, not views, of types that every program knows.
CREATE OR REPLACE TABLE {{ (prefix ~ '_rows') | ident }} AS
SELECT * EXCLUDE (class_probs) FROM {{ issues | ident }};

CREATE OR REPLACE TABLE {{ (prefix ~ '_flags') | ident }} AS
WITH issues AS (FROM {{ issues | ident }})
FROM sqlfuncs.main._flag_counts(
    issues, NULL, {{ label | ident }}, class_probs IS NOT NULL OR NULL, not_judged, is_label_issue, suggested_label,
    task := {{ task | literal }}
);

-- Rates are of classes and of tags, which have probabilities: without any this table has no rows. A variable is a constant to a
-- plan, by which nothing is computed then.
SET VARIABLE sf_has_probs = (SELECT count(class_probs) > 0 FROM {{ issues | ident }});

CREATE OR REPLACE TABLE {{ (prefix ~ '_classes') | ident }} AS
WITH judged AS (SELECT {{ label | ident }} AS _label, class_probs AS _probs FROM {{ issues | ident }})
FROM label_health(judged, _probs, _label{% if task != "auto" %}, task := {{ task | literal }}{% endif %})
WHERE getvariable('sf_has_probs');

CREATE OR REPLACE TABLE {{ (prefix ~ '_summary') | ident }} AS
WITH issues AS (FROM {{ issues | ident }}), strength AS (
    FROM model_strength(issues, {{ label | ident }}{% if task != "auto" %}, task := {{ task | literal }}{% endif %})
)
SELECT
    count(*) AS "rows",
    count(*) FILTER (is_label_issue) AS flagged,
    count(not_judged) AS not_judged,
    any_value(agreement) AS agreement,
    any_value(can_judge) AS can_judge,
    any_value(reason) AS reason,
    now() AT TIME ZONE 'UTC' AS published_at
FROM issues CROSS JOIN strength;

CREATE OR REPLACE TABLE {{ (prefix ~ '_models') | ident }} AS
SELECT * REPLACE (list_aggregate(classes, 'string_agg', ', ') AS classes) FROM models();
{% if log %}

CREATE OR REPLACE TABLE {{ (prefix ~ '_decisions') | ident }} AS FROM {{ log | ident }};
{% endif %}
{% if predictions %}

CREATE OR REPLACE TABLE {{ (prefix ~ '_evaluation') | ident }} AS
WITH predictions AS (FROM {{ predictions | ident }})
FROM evaluate(predictions, {{ actual | ident }}, {{ predicted | ident }}{% if task != "auto" %}, task := {{ task | literal }}{% endif %});

SET VARIABLE sf_has_classes = (SELECT accuracy IS NOT NULL FROM {{ (prefix ~ '_evaluation') | ident }});

CREATE OR REPLACE TABLE {{ (prefix ~ '_class_report') | ident }} AS
WITH predictions AS (FROM {{ predictions | ident }})
FROM class_report(predictions, {{ actual | ident }}, {{ predicted | ident }}{% if task != "auto" %}, task := {{ task | literal }}{% endif %})
WHERE getvariable('sf_has_classes');

CREATE OR REPLACE TABLE {{ (prefix ~ '_confusion') | ident }} AS
WITH predictions AS (FROM {{ predictions | ident }})
FROM confusion_matrix(predictions, {{ actual | ident }}, {{ predicted | ident }}{% if task != "auto" %}, task := {{ task | literal }}{% endif %})
WHERE getvariable('sf_has_classes');
{% endif %}

SELECT table_name AS "table", estimated_size AS "rows", column_count AS columns
FROM duckdb_tables()
WHERE database_name = current_database() AND starts_with(table_name, {{ (prefix ~ '_') | literal }})
ORDER BY ALL;
