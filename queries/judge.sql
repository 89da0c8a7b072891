-- title: Find wrong labels among new rows
-- answers: Which labels of rows that came later are probably wrong, by what was learned before?
-- param table table = arrived: the new rows
-- param text column = text: what a row is, as when the judge learned: text, or an embedding (FLOAT[])
-- param label column = label: the labels to check
-- param judge text: the judge's name, under which detect judge=... has kept it; name@2 pins a version
-- param into table = new_issues: the table to make: all columns, and what was found

{% if into == table %}{{ refuse("into has to name another table than the one that is read") }}{% endif %}
{% if engine == "duckdb" %}
SET VARIABLE sf_clash = (
    SELECT CASE WHEN count(*) > 0 THEN error(
        'the table already has the column ' || string_agg('"' || column_name || '"', ', ') || ', which the '
        || 'judge adds: leave it out of the table, or rename it.'
    ) END
    FROM (DESCRIBE FROM {{ table | ident }})
    WHERE lower(column_name) IN (
        'label_quality', 'is_label_issue', 'suggested_label', 'suggested_confidence', 'predicted_label',
        'class_probs', 'not_judged'
    )
);
{% endif %}

CREATE OR REPLACE TABLE {{ into | ident }} AS
SELECT * {{ "EXCLUDE" | word }} (_sf_judged), _sf_judged.*
FROM (
    SELECT *, judge_labels({{ text | ident }}, {{ label | ident }}, judge := {{ judge | literal }}) AS _sf_judged
    FROM {{ table | ident }}
);

SELECT
    {{ label | ident }},
    count(*) AS {{ "rows" | ident }},
    count(*) FILTER (WHERE is_label_issue) AS flagged,
    round(100 * count(*) FILTER (WHERE is_label_issue) / count(*), 1) AS flagged_percent,
    mode() WITHIN GROUP (ORDER BY suggested_label) AS most_suggested,
    count(not_judged) AS not_judged
FROM {{ into | ident }}
GROUP BY ALL
ORDER BY flagged DESC;
