-- title: Train a model
-- answers: How good a model do these labels make?
-- param table table = train: the table to train on
-- param text column = text: what a row is: text, or an embedding (FLOAT[])
-- param label column = label: the labels to learn
-- param name text = my_model: the name to classify with; one that exists gets a new version
-- param base text = fast: what is trained
-- param seed integer = 0: another seed cuts the folds otherwise
-- param weights column = : how much each row counts, such as label_quality of a result of detect
-- param drop column = : where it is true the row is left out, such as is_label_issue
-- param balanced boolean = false: whether all classes count the same
-- param test table = : the table the model will be tested on; its rows may not be trained on
-- param wait boolean = true: false goes on in a process of its own
-- param resume boolean = false: true goes on where a training was broken off

WITH input AS (FROM {{ table | ident }})
SELECT model, version, status, base, {{ "rows" | ident }}, {{ "len" | word }}(classes) AS classes,
    round(cv_accuracy, 4) AS cv_accuracy, round(seconds, 1) AS seconds, error
FROM fine_tune(
    {{ name | literal }}, input, {{ text | ident }}, {{ label | ident }},
    base := {{ base | literal }}, seed := {{ seed | literal }}, balanced := {{ balanced | literal }},
    wait := {{ wait | literal }}, resume := {{ resume | literal }}
    {% if weights %}
    , weights := {{ weights | ident }}
    {% endif %}
    {% if drop %}
    , drop := {{ drop | ident }}
    {% endif %}
    {% if test %}
    , test := {{ test | ident }}
    {% endif %}
);
