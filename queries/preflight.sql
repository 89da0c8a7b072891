-- title: Look before training
-- answers: What would a training take, what would be poor about it, and would it be refused?
-- param table table = train: the table to train on
-- param text column = text: what a row is: text, or an embedding (FLOAT[])
-- param label column = label: the labels to learn
-- param base text = fast: what would be trained: fast, best, minilm, smollm2, an id, a folder, openai:MODEL
-- param test table = : the table the model will be tested on, if there is one

CREATE OR REPLACE TEMP TABLE _sf_preflight AS
WITH input AS (FROM {{ table | ident }})
SELECT base, {{ "rows" | ident }}, preflight AS p, error
FROM fine_tune(
    'preflight', input, {{ text | ident }}, {{ label | ident }}, base := {{ base | literal }}, dry_run := true
    {% if test %}
    , test := {{ test | ident }}
    {% endif %}
);

SELECT base, {{ "rows" | ident }}, p.duplicates, p.contradictions, round(p.issue_rate, 3) AS issue_rate, p.overlap, p.tokens,
    round(p.seconds, 1) AS seconds, round(p.usd, 2) AS usd
FROM _sf_preflight;

SELECT entry.key AS label, entry.value AS {{ "rows" | ident }}
FROM (SELECT {{ "unnest" | word }}(map_entries(p.class_counts)) AS entry FROM _sf_preflight)
ORDER BY {{ "rows" | ident }} DESC, label;

SELECT 'refused: ' || error AS said FROM _sf_preflight WHERE error IS NOT NULL
UNION ALL
SELECT {{ "unnest" | word }}(p.warnings) FROM _sf_preflight;
