-- title: What better labels gain
-- answers: How much better is a model when its labels are better, and how sure is that?
-- param table table = test: rows with labels that can be trusted
-- param text column = text: what to classify
-- param label column = label: the true labels
-- param models list: models to compare, separated by commas ("a, b" in quotes if it has one); the first is compared with
-- param into table = gain: the table to make
-- param multi boolean = false: whether labels are tags, of which a text has any number
-- param task text = auto: regression, where labels are amounts

{% if models | length < 2 %}{{ refuse("name two models or more: models=first,second") }}{% endif %}
CREATE OR REPLACE TABLE {{ into | ident }} AS
WITH predicted AS MATERIALIZED (
    SELECT
        {{ label | ident }} AS actual,
        {% for model in models %}
        llm_classify({{ text | ident }}, model := {{ model | literal }}{% if multi %}, multi := true{% endif %}) AS {{ model | ident }},
        {% endfor %}
    FROM {{ table | ident }}
)
{% for model in models %}
{% if not loop.first %}UNION ALL BY NAME
{% endif %}
SELECT
    {{ model | literal }} AS model,
    {% if task == "regression" %}
    e.n,
    e.mae,
    e.mae_low,
    e.mae_high,
    {% else %}
    CASE WHEN e.accuracy IS NULL THEN error('the labels are numbers, which have no classes: task=regression') ELSE e.correct END
        AS correct,
    e.n,
    e.accuracy,
    e.accuracy_low,
    e.accuracy_high,
    {% endif %}
    {% if not loop.first %}
    c.difference,
    c.difference_low,
    c.difference_high,
    c.error_reduction,
    c.p_value,
    {% endif %}
FROM evaluate(predicted, actual, {{ model | ident }}{% if task != "auto" %}, task := {{ task | literal }}{% endif %}) AS e
{% if not loop.first %}
CROSS JOIN compare_models(predicted, actual, {{ models[0] | ident }}, {{ model | ident }}{% if task != "auto" %}, task := {{ task | literal }}{% endif %}) AS c
{% endif %}
{% endfor %};

{% if task == "regression" %}
SELECT
    model,
    n,
    round(mae, 4) AS mae,
    printf('%.4g .. %.4g', mae_low, mae_high) AS "95 % interval",
    printf('%+.1f %%', 100 * error_reduction) AS error_reduction,
    CASE WHEN p_value < 0.0001 THEN 'below 0.0001' ELSE printf('%.4f', p_value) END AS paired_z_p
FROM {{ into | ident }};
{% else %}
SELECT
    model,
    correct || ' of ' || n AS correct,
    printf('%.1f %%', 100 * accuracy) AS accuracy,
    printf('%.1f .. %.1f %%', 100 * accuracy_low, 100 * accuracy_high) AS "95 % interval",
    printf('%+.1f %%', 100 * error_reduction) AS error_reduction,
    CASE WHEN p_value < 0.0001 THEN 'below 0.0001' ELSE printf('%.4f', p_value) END AS mcnemar_p
FROM {{ into | ident }};
{% endif %}

WITH verdicts AS (
    SELECT
        {% if task == "regression" %}
        model || CASE WHEN difference_high < 0 THEN ' is nearer' ELSE ' is farther' END
        || printf(' by %.4g to %.4g in the mean', least(abs(difference_low), abs(difference_high)),
            greatest(abs(difference_low), abs(difference_high))) AS verdict,
        {% else %}
        model || CASE WHEN difference_low > 0 THEN ' is better' ELSE ' is worse' END
        || printf(' by %.1f to %.1f points', 100 * least(abs(difference_low), abs(difference_high)),
            100 * greatest(abs(difference_low), abs(difference_high))) AS verdict,
        {% endif %}
        difference
    FROM {{ into | ident }}
    WHERE difference_low > 0 OR difference_high < 0
)
SELECT coalesce(
    'Against ' || {{ models[0] | literal }} || ', with 95 % confidence: '
    || (SELECT string_agg(verdict, '; ' ORDER BY difference DESC) FROM verdicts)
    || '. Any other interval includes no difference.',
    'On ' || any_value(n) || ' test rows, no model is shown to differ from '
    || {{ models[0] | literal }} || ': every interval includes no difference.'
) AS conclusion
FROM {{ into | ident }};
