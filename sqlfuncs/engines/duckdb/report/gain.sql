-- title: What better labels gain
-- answers: How good the same model is on test rows, trained on labels as given, pruned (without flagged rows), as auto_corrections proposes, and reviewed.
-- param labels list = given,pruned,auto_corrected,reviewed,randomly_reviewed: columns of report_labels; the first is compared with
-- param base text = fast: what is trained
-- param task text = auto: as in fine_tune
-- param is_list boolean = false: whether labels are tags
-- param score text = accuracy: the column of evaluate by which models are measured
-- param prefix text = report_: how the models' names begin

{% for each in labels %}
CREATE OR REPLACE TEMP TABLE {{ ('report_trained_' ~ each) | ident }} AS
WITH input AS (FROM report_labels WHERE {{ each | ident }} IS NOT NULL)
SELECT model || '@' || version AS model, "rows", seconds,
    CASE WHEN status = 'SUCCEEDED' THEN status ELSE error(coalesce(error, status)) END AS status
FROM fine_tune(
    {{ (prefix ~ each) | literal }}, input, x, {{ each | ident }},
    base := {{ base | literal }}, test := report_test, task := {{ task | literal }}
);
SET VARIABLE {{ ('report_' ~ each) | ident }} = (SELECT model FROM {{ ('report_trained_' ~ each) | ident }});
{% endfor %}

CREATE OR REPLACE TEMP TABLE report_said AS
SELECT
    key,
    label AS actual,
    {% for each in labels %}
    llm_classify(x, model := getvariable({{ ('report_' ~ each) | literal }}){% if is_list %}, multi := true{% endif %}) AS {{ each | ident }},
    {% endfor %}
FROM report_test;

{% for each in labels %}
{% if not loop.first %}
UNION ALL BY NAME
{% endif %}
SELECT
    {{ each | literal }} AS labels,
    t.model,
    t."rows",
    t.seconds,
    (SELECT count(*) FROM report_labels WHERE {{ each | ident }} IS NOT NULL AND {{ each | ident }} IS DISTINCT FROM given)
        AS labels_changed,
    e.n,
    {% if score == 'accuracy' %}
    e.correct,
    {% endif %}
    e.{{ score | ident }},
    e.{{ (score ~ '_low') | ident }},
    e.{{ (score ~ '_high') | ident }},
    {% if not loop.first %}
    c.difference,
    c.difference_low,
    c.difference_high,
    c.error_reduction,
    c.p_value,
    {% endif %}
FROM evaluate(report_said, actual, {{ each | ident }}, task := {{ task | literal }}) AS e
CROSS JOIN {{ ('report_trained_' ~ each) | ident }} AS t
{% if not loop.first %}
CROSS JOIN compare_models(report_said, actual, {{ labels[0] | ident }}, {{ each | ident }}, task := {{ task | literal }}) AS c
{% endif %}
{% endfor %};
