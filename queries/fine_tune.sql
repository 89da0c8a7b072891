-- title: Train a model
-- answers: How good a model do these labels make?
-- param table table = train: the table to train on
-- param text column = text: what a row is: text, or an embedding (FLOAT[])
-- param label column = label: the labels to learn
-- param name text = my_model: the name to classify with; one that exists gets a new version
-- param base text = fast: what is trained
-- param seed integer = 0: another seed cuts the folds otherwise

WITH input AS (FROM {{ table | ident }})
SELECT model, version, status, base, "rows", len(classes) AS classes,
    round(cv_accuracy, 4) AS cv_accuracy, round(seconds, 1) AS seconds, error
FROM fine_tune(
    {{ name | literal }}, input, {{ text | ident }}, {{ label | ident }},
    base := {{ base | literal }}, seed := {{ seed | literal }}
);
