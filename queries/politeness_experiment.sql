-- title: The experiment of the blog post
-- answers: How much better is each kind of model when it is trained on mended labels, and how sure is that?
-- param train table = train: the table to train on, with its labels as they were given
-- param test table = test: rows with labels that can be trusted
-- param text column = text: the texts, in both tables
-- param label column = label: the given labels; in the table to test on, the true ones
-- param reviewed column = true_label: the labels after a review, in the table to train on
-- param bases list = fast,minilm,smollm2: what is trained; the first ones cost least
-- param detector text = best: the model that finds wrong labels
-- param into table = politeness_experiment: the table to make
-- param seed integer = 0: of every training

CREATE OR REPLACE TEMP TABLE _sf_test AS
SELECT {{ text | ident }} AS _text, {{ label | ident }}::VARCHAR AS _label FROM {{ test | ident }};

-- Four tables to train on, without what is in the table to test on, but for case and signs: labels as
-- given; without the rows that are flagged; with the
-- corrections that the detector proposes; and as a person left them.
CREATE OR REPLACE TEMP TABLE _sf_issues AS
WITH input AS (
    SELECT row_number() OVER () AS _key, {{ text | ident }} AS _text, {{ label | ident }}::VARCHAR AS _label,
        {{ reviewed | ident }}::VARCHAR AS _reviewed
    FROM {{ train | ident }}
    WHERE regexp_replace(lower({{ text | ident }}), '[\s\pP\pS]', '', 'g') NOT IN (
        SELECT regexp_replace(lower(_text), '[\s\pP\pS]', '', 'g') FROM _sf_test WHERE _text IS NOT NULL
    )
)
FROM label_issues(input, _text, _label, model := {{ detector | literal }}, seed := {{ seed | literal }});

CREATE OR REPLACE TEMP TABLE _sf_given AS
SELECT _key, _text, _label, _reviewed FROM _sf_issues;

CREATE OR REPLACE TEMP TABLE _sf_pruned AS
SELECT _key, _text, _label FROM _sf_issues WHERE is_label_issue IS NOT TRUE;

CREATE OR REPLACE TEMP TABLE _sf_corrected AS
WITH log AS MATERIALIZED (FROM auto_corrections(_sf_issues, _key, _label))
FROM apply_corrections(_sf_given, log, _key, _label);

CREATE OR REPLACE TEMP TABLE _sf_reviewed AS
SELECT _key, _text, _reviewed AS _label FROM _sf_given;

CREATE OR REPLACE TEMP TABLE _sf_trained (
    base VARCHAR, labels VARCHAR, model VARCHAR, "rows" BIGINT, right_labels BIGINT, seconds DOUBLE
);
{% for base in bases %}
{% for labels in ['given', 'pruned', 'corrected', 'reviewed'] %}
INSERT INTO _sf_trained
SELECT {{ base | literal }}, {{ labels | literal }}, model || '@' || version, "rows",
    (
        SELECT count(*) FROM {{ ('_sf_' ~ labels) | ident }} AS t JOIN _sf_reviewed AS r USING (_key)
        WHERE t._label = r._label
    ),
    seconds
FROM fine_tune(
    {{ ('experiment ' ~ base | replace(':', ' ') ~ ' ' ~ labels) | literal }},
    {{ ('_sf_' ~ labels) | ident }}, _text, _label,
    base := {{ base | literal }}, seed := {{ seed | literal }}, test := _sf_test
);
SET VARIABLE {{ ('_sf_' ~ base ~ ' ' ~ labels) | ident }} = (
    SELECT model FROM _sf_trained WHERE base = {{ base | literal }} AND labels = {{ labels | literal }}
);
{% endfor %}
{% endfor %}

CREATE OR REPLACE TABLE {{ into | ident }} AS
WITH predicted AS MATERIALIZED (
    SELECT
        _label AS actual,
        {% for base in bases %}
        {% for labels in ['given', 'pruned', 'corrected', 'reviewed'] %}
        llm_classify(
            _text, model := getvariable({{ ('_sf_' ~ base ~ ' ' ~ labels) | literal }})
        ) AS {{ (base ~ ' ' ~ labels) | ident }},
        {% endfor %}
        {% endfor %}
    FROM _sf_test
), measured AS (
    {% for base in bases %}
    {% set first = loop.first %}
    {% for labels in ['given', 'pruned', 'corrected', 'reviewed'] %}
    {% if not (first and loop.first) %}
    UNION ALL BY NAME
    {% endif %}
    SELECT {{ base | literal }} AS base, {{ labels | literal }} AS labels, e.correct, e.n, e.accuracy,
        e.accuracy_low, e.accuracy_high
        {% if not loop.first %}
        , c.error_reduction, c.difference_low, c.difference_high, c.p_value
        {% endif %}
    FROM evaluate(predicted, actual, {{ (base ~ ' ' ~ labels) | ident }}) AS e
    {% if not loop.first %}
    CROSS JOIN compare_models(
        predicted, actual, {{ (base ~ ' given') | ident }}, {{ (base ~ ' ' ~ labels) | ident }}
    ) AS c
    {% endif %}
    {% endfor %}
    {% endfor %}
)
FROM measured JOIN _sf_trained USING (base, labels);

SELECT
    base,
    labels,
    "rows",
    printf('%.1f %%', 100 * right_labels / "rows") AS labels_right,
    printf('%.1f %%', 100 * accuracy) AS test_accuracy,
    printf('%.1f .. %.1f %%', 100 * accuracy_low, 100 * accuracy_high) AS "95 % interval",
    printf('%+.1f %%', 0 - 100 * error_reduction) AS errors,
    CASE WHEN p_value < 0.0001 THEN 'below 0.0001' ELSE printf('%.4f', p_value) END AS mcnemar_p,
    round(seconds, 1) AS seconds
FROM {{ into | ident }}
ORDER BY list_position({{ bases | literal }}, base),
    list_position(['given', 'pruned', 'corrected', 'reviewed'], labels);
