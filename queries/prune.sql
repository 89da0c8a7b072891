-- title: Leave out the flagged rows
-- answers: What is left of a table without the rows whose label is probably wrong?
-- param issues table = issues: a result of detect
-- param into table = pruned: the table to make

{% if into == issues %}{{ refuse("into has to name another table than the one that is read") }}{% endif %}
CREATE OR REPLACE TABLE {{ into | ident }} AS
SELECT * {{ "EXCLUDE" | word }} (
    label_quality, is_label_issue, suggested_label, suggested_confidence, predicted_label,
    class_probs, not_judged
)
FROM {{ issues | ident }}
WHERE is_label_issue IS NOT TRUE;

SELECT
    (SELECT count(*) FROM {{ issues | ident }}) AS rows_before,
    (SELECT count(*) FROM {{ into | ident }}) AS rows_after;
