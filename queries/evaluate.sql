-- title: Evaluate a model
-- answers: How good is a model on rows it has not seen, overall and for each class?
-- param table table = test: rows with labels that can be trusted
-- param text column = text: what to classify
-- param label column = label: the true labels
-- param model text = my_model: the model; name@2 pins a version
-- param into table = predictions: the table to make: all columns, and predicted
-- param multi boolean = false: whether labels are tags, of which a text has any number
-- param task text = auto: regression, where whole numbers are amounts

CREATE OR REPLACE TABLE {{ into | ident }} AS
SELECT *, llm_classify({{ text | ident }}, model := {{ model | literal }}{% if multi %}, multi := true{% endif %}) AS predicted
FROM {{ table | ident }};

WITH predicted AS (FROM {{ into | ident }})
FROM evaluate(predicted, {{ label | ident }}, predicted{% if task != "auto" %}, task := {{ task | literal }}{% endif %});
{% if task != "regression" %}
{% if engine != "spark" %}

-- Numbers have no accuracy, and no classes to tell of: where a variable says so, a constant to a plan, nothing is computed.
SET VARIABLE sf_has_classes = (
    WITH predicted AS (FROM {{ into | ident }})
    SELECT accuracy IS NOT NULL FROM evaluate(predicted, {{ label | ident }}, predicted{% if task != "auto" %}, task := {{ task | literal }}{% endif %})
);
{% endif %}

WITH predicted AS (FROM {{ into | ident }})
FROM class_report(predicted, {{ label | ident }}, predicted{% if task != "auto" %}, task := {{ task | literal }}{% endif %})
{%- if engine != "spark" %}

WHERE getvariable('sf_has_classes')
{%- endif %}
;

WITH predicted AS (FROM {{ into | ident }})
{% if multi %}
FROM confusion_matrix(predicted, {{ label | ident }}, predicted{% if task != "auto" %}, task := {{ task | literal }}{% endif %});
{% else %}
PIVOT (
    FROM confusion_matrix(predicted, {{ label | ident }}, predicted{% if task != "auto" %}, task := {{ task | literal }}{% endif %})
    {% if engine != "spark" %}
    WHERE getvariable('sf_has_classes')
    {% endif %}
)
ON predicted USING sum(n) GROUP BY actual
ORDER BY actual;
{% endif %}
{% endif %}
