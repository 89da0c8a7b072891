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

-- One text is asked about first: what is wrong with the model or the key is known at once.
SET VARIABLE sf_first = (
    SELECT llm_class_probs(
        {{ text | ident }}, getvariable('sf_labels'), model := {{ model | literal }},
        instructions := {{ instructions | literal }}
    )
    FROM (SELECT {{ text | ident }} FROM {{ table | ident }} WHERE {{ text | ident }} IS NOT NULL LIMIT 1)
);

CREATE OR REPLACE TABLE {{ into | ident }} AS
WITH input AS (FROM {{ table | ident }}),
trained AS (
    FROM label_issues(input, {{ text | ident }}, {{ label | ident }})
    SELECT * EXCLUDE (suggested_confidence, predicted_label)
        REPLACE (round(label_quality, 4) AS label_quality)
),
renamed AS (
    SELECT * EXCLUDE (label_quality, is_label_issue, suggested_label, class_probs, not_judged),
        label_quality AS trained_quality, is_label_issue AS trained_flags, suggested_label AS trained_suggests,
        class_probs AS trained_class_probs, not_judged AS trained_not_judged
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

WITH by_language_model AS (FROM {{ into | ident }}),
by_training AS (
    SELECT {{ label | ident }}, trained_class_probs AS class_probs, trained_not_judged AS not_judged
    FROM {{ into | ident }}
),
strengths AS (
    SELECT 'language model' AS auditor, * FROM model_strength(by_language_model, {{ label | ident }})
    UNION ALL
    SELECT 'trained detector', * FROM model_strength(by_training, {{ label | ident }})
),
flags AS (
    SELECT 'language model' AS auditor, count(*) FILTER (is_label_issue) AS flagged,
        count(*) FILTER (is_label_issue AND trained_flags) AS flagged_by_both
    FROM {{ into | ident }}
    UNION ALL
    SELECT 'trained detector', count(*) FILTER (trained_flags), count(*) FILTER (is_label_issue AND trained_flags)
    FROM {{ into | ident }}
)
SELECT auditor, flagged, flagged_by_both, judged, round(kappa, 3) AS kappa, can_judge, reason
FROM flags JOIN strengths USING (auditor)
ORDER BY auditor;
