-- title: Find wrong labels
-- answers: Which labels of a table are probably wrong, and how many of each class, each tag, each label of words, or each fifth of the numbers?
-- param table table = train: the table to check
-- param text column = text: what a row is: text, an embedding (FLOAT[]) or class probabilities
-- param label column = label: the labels to check
-- param into table = issues: the table to make: all columns, and what was found
-- param cut text = auto: how many rows are flagged: auto, or a filter of cleanlab
-- param seed integer = 0: another seed cuts the folds otherwise
-- param task text = auto: what labels are where their type does not tell: classification, multilabel, regression or token_classification
-- param ordered list = : classes that are steps of a scale, the lowest first, separated by commas
-- param judge text = : keep what was learned under this name, for the query file judge

{% if into == table %}{{ refuse("into has to name another table than the one that is read") }}{% endif %}
CREATE OR REPLACE TABLE {{ into | ident }} AS
WITH input AS (FROM {{ table | ident }})
FROM label_issues(
    input, {{ text | ident }}, {{ label | ident }}, cut := {{ cut | literal }}, seed := {{ seed | literal }}
    {%- if task != "auto" %}, task := {{ task | literal }}{% endif %}
    {%- if ordered %}, ordered := {{ ordered | literal }}{% endif %}
    {%- if judge %}, judge := {{ judge | literal }}{% endif %}

);

{% if engine == "spark" %}
SELECT
    {{ label | ident }},
    count(*) AS {{ "rows" | ident }},
    count(*) FILTER (WHERE is_label_issue) AS flagged,
    round(100 * count(*) FILTER (WHERE is_label_issue) / count(*), 1) AS flagged_percent,
    mode() WITHIN GROUP (ORDER BY suggested_label) AS most_suggested,
    count(not_judged) AS not_judged
FROM {{ into | ident }}
GROUP BY ALL
ORDER BY flagged DESC
{% else %}
WITH found AS (FROM {{ into | ident }})
SELECT label AS {{ label | ident }}, * EXCLUDE (label)
FROM sqlfuncs.main._flag_counts(
    -- Of what a row is, the type tells what its label is.
    found, CASE WHEN false THEN {{ text | ident }} END, {{ label | ident }}, class_probs IS NOT NULL OR NULL, not_judged,
    is_label_issue, suggested_label, task := {{ task | literal }}
){% endif %};
