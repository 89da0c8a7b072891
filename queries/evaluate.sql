-- title: Evaluate a model
-- answers: How good is a model on rows it has not seen, overall and for each class?
-- param table table = test: rows with labels that can be trusted
-- param text column = text: what to classify
-- param label column = label: the true labels
-- param model text = my_model: the model; name@2 pins a version
-- param into table = predictions: the table to make: all columns, and predicted

CREATE OR REPLACE TABLE {{ into | ident }} AS
SELECT *, llm_classify({{ text | ident }}, model := {{ model | literal }}) AS predicted
FROM {{ table | ident }};

WITH predicted AS (FROM {{ into | ident }})
FROM evaluate(predicted, {{ label | ident }}, predicted);

WITH predicted AS (FROM {{ into | ident }})
FROM class_report(predicted, {{ label | ident }}, predicted);

WITH predicted AS (FROM {{ into | ident }})
PIVOT (FROM confusion_matrix(predicted, {{ label | ident }}, predicted))
ON predicted USING sum(n) GROUP BY actual
ORDER BY actual;
