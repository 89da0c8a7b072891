-- title: A language model audits labels
-- answers: Which labels does a language model find wrong, with no training, and does the trained detector agree?
-- param table table = train: the table to check
-- param text column = text: the texts
-- param label column = label: the labels to check
-- param into table = llm_issues: the table to make: all columns, and what both found
-- param model text = local:smollm2: local:..., openai:... or a trained model; see the reference of llm_classify
-- param instructions text = : in a sentence, how to judge

{% if into == table %}{{ refuse("into has to name another table than the one that is read") }}{% endif %}
SET VARIABLE sf_labels = (
    SELECT list(DISTINCT {{ label | ident }}::VARCHAR ORDER BY {{ label | ident }}::VARCHAR)
    FROM {{ table | ident }} WHERE {{ label | ident }} IS NOT NULL
);

CREATE OR REPLACE TABLE {{ into | ident }} AS
WITH input AS (FROM {{ table | ident }}),
trained AS (
    FROM label_issues(input, {{ text | ident }}, {{ label | ident }})
    SELECT * EXCLUDE (suggested_confidence, predicted_label, class_probs, not_judged)
        REPLACE (round(label_quality, 4) AS label_quality)
),
renamed AS (
    SELECT * EXCLUDE (label_quality, is_label_issue, suggested_label), label_quality AS trained_quality,
        is_label_issue AS trained_flags, suggested_label AS trained_suggests
    FROM trained
)
FROM label_issues(
    renamed,
    llm_class_probs(
        {{ text | ident }}, getvariable('sf_labels'), model := {{ model | literal }},
        instructions := {{ instructions | literal }}
    ),
    {{ label | ident }}
);

SELECT
    count(*) FILTER (is_label_issue AND trained_flags) AS both_flag,
    count(*) FILTER (is_label_issue AND NOT trained_flags) AS only_the_language_model,
    count(*) FILTER (NOT is_label_issue AND trained_flags) AS only_the_trained_detector,
    count(*) FILTER (NOT is_label_issue AND NOT trained_flags) AS neither,
    count(not_judged) AS not_judged
FROM {{ into | ident }};
