-- title: Decide
-- answers: What is in force about some rows, now that a person has decided?
-- param table table = train: the table that is reviewed; it is not changed
-- param key column = id: the column that names a row
-- param label column = label: the label given
-- param keys list: the rows that are decided, separated by commas
-- param action text = : relabel (as new_label alone says), keep (as nothing says), exclude, or needs_review for somebody else
-- param new_label text = : what their label should be
-- param reviewer text = reviewer: who decided
-- param reason text = : why
-- param log table = decisions: the decision log, which is only added to
-- param new_class boolean = false: allow a new_label that no row of the table has; other numbers, and other sets of the same tags, are not new
-- param task text = auto: what labels are where their type does not tell: regression, multilabel or token_classification

{% if not keys %}{{ refuse("keys names no row: keys=12,15") }}{% endif %}
{% if reviewer == "auto_corrections" %}{{ refuse("reviewer=auto_corrections would be the machine's word, which waits for a person's: name who decided") }}{% endif %}
{% for name, value in [("new_label", new_label), ("action", action), ("reviewer", reviewer)] %}
{% if name in given and value is none %}{{ refuse(name ~ " is empty: say what it is, or leave it out") }}{% endif %}
{% endfor %}
-- Before there is a log: a mistake leaves nothing behind.
-- Keys and labels may be typed as they are shown: 3 is the key 3.0 of a DOUBLE. What a cast would round is no key.
CREATE OR REPLACE TEMP TABLE _decided AS
WITH given_rows AS (
    FROM {{ table | ident }}
), kinds AS (
    SELECT any_value({{ key | ident }}) AS a_key, any_value({{ label | ident }}) AS a_label FROM {{ table | ident }}
), asked AS (
    SELECT DISTINCT unnest({{ keys | literal }}) AS asked
), typed AS (
    SELECT asked, if(asked = cast_key::VARCHAR OR CASE
        WHEN TRY_CAST(cast_key::VARCHAR AS DOUBLE) IS NOT NULL
        THEN coalesce(TRY_CAST(asked AS DOUBLE) = TRY_CAST(cast_key::VARCHAR AS DOUBLE), false)
        WHEN TRY_CAST(cast_key::VARCHAR AS TIMESTAMP) IS NOT NULL
        THEN coalesce(TRY_CAST(asked AS TIMESTAMP) = TRY_CAST(cast_key::VARCHAR AS TIMESTAMP), false)
        ELSE true
    END, cast_key, NULL) AS typed
    FROM (SELECT asked, TRY(cast_to_type(asked, a_key)) AS cast_key FROM asked, kinds)
), found AS (
    SELECT
        asked, count(t.{{ key | ident }}) AS n, any_value(t.{{ key | ident }}::VARCHAR) AS key,
        any_value(t.{{ label | ident }}::VARCHAR) AS given
    FROM typed LEFT JOIN {{ table | ident }} AS t ON t.{{ key | ident }} = typed.typed
    GROUP BY ALL
), classes AS (
    SELECT DISTINCT
        {{ label | ident }}::VARCHAR AS class,
        CASE
            WHEN typeof({{ label | ident }}) = 'VARCHAR[]' THEN TRY_CAST({{ label | ident }}::VARCHAR AS VARCHAR[])
        END AS parts
    FROM {{ table | ident }}
    WHERE {{ label | ident }} IS NOT NULL
), names AS (
    -- The classes, or the tags: a label of none but these is not new.
    SELECT DISTINCT unnest(coalesce(parts, [class])) AS name FROM classes
), labels AS (
    SELECT
        a_label,
        typeof(a_label) AS label_type,
        -- Tags are in no order, and each is there once; labels of words stand in the order of the words.
        task = 'token_classification' AS are_words,
        task = 'regression' AS are_numbers,
        {{ new_label | literal }}::VARCHAR AS typed,
        (SELECT class FROM classes WHERE class = {{ new_label | literal }}) AS same
    FROM kinds, sqlfuncs.main._task_of_labels(given_rows, {{ label | ident }}, task := {{ task | literal }})
), cast_label AS (
    -- A label of the table as it is written there, or what was typed as a value of its type.
    SELECT
        *,
        coalesce(
            same, sqlfuncs.main._sf_unrounded(typed, 'text', a_label, sqlfuncs.main._sf_decided_kind(label_type))
        )::VARCHAR AS in_type,
        TRY(cast_to_type(typed, a_label))::VARCHAR AS rounded
    FROM labels
), parted AS (
    SELECT *, CASE WHEN label_type = 'VARCHAR[]' THEN TRY_CAST(in_type AS VARCHAR[]) END AS parts FROM cast_label
), said AS (
    SELECT
        coalesce({{ action | literal }}, if(typed IS NULL, 'keep', 'relabel')) AS action,
        if(are_words, in_type, coalesce(
            (SELECT min(class) FROM classes AS c WHERE list_sort(c.parts) = list_sort(l.parts)), in_type
        )) AS new_label,
        l.*
    FROM parted AS l
), new_names AS (
    SELECT name FROM (SELECT unnest(coalesce(parts, [new_label])) AS name FROM said) WHERE name NOT IN (FROM names)
), blanks AS (
    SELECT part FROM (SELECT unnest(parts) AS part FROM said) WHERE coalesce(trim(part), '') = ''
), decided AS (
    -- Where the row has these tags, in whatever order, its label is kept.
    SELECT found.*, said.* REPLACE (
        if(
            NOT are_words AND list_sort(parts) = list_sort(TRY_CAST(given AS VARCHAR[])), given, new_label
        ) AS new_label
    )
    FROM found, said
), verdict AS (
    SELECT 'nothing was written: ' || CASE
        WHEN any_value(action) NOT IN ('relabel', 'keep', 'exclude', 'needs_review') THEN
            'action is relabel, keep, exclude or needs_review, not ' || any_value(action)
        WHEN (any_value(action) = 'relabel') <> (any_value(typed) IS NOT NULL) THEN
            'action=relabel takes new_label=..., what to relabel to, which goes with no other action'
        WHEN count(*) FILTER (n = 0) > 0 THEN
            'no row has the key ' || string_agg(asked, ', ' ORDER BY asked) FILTER (n = 0)
        WHEN count(*) FILTER (n > 1) > 0 THEN
            'several rows have the key ' || string_agg(asked, ', ' ORDER BY asked) FILTER (n > 1)
        WHEN any_value(typed) IS NOT NULL AND any_value(in_type) IS NULL THEN
            'new_label=' || any_value(typed) || coalesce(' would become ' || any_value(rounded) || ' as ', ' is no ')
            || any_value(label_type) || ', the type of ' || {{ label | literal }}
            || if(any_value(label_type) = 'VARCHAR[]', ': type it as [first, second]', '')
        WHEN any_value(label_type) IN ('FLOAT', 'DOUBLE') AND NOT isfinite(TRY_CAST(any_value(in_type) AS DOUBLE)) THEN
            'no label is ' || any_value(in_type)
        WHEN EXISTS (FROM blanks) THEN
            'new_label=' || any_value(typed) || ' has NULL or a blank among its parts'
        WHEN NOT any_value(are_words) AND len(list_distinct(any_value(parts))) < len(any_value(parts)) THEN
            'new_label=' || any_value(typed) || ' has a tag twice. If these are labels of words: task=token_classification'
        WHEN count(*) FILTER (are_words AND len(parts) <> len(TRY_CAST(given AS VARCHAR[]))) > 0 THEN
            'new_label=' || any_value(typed) || ' is of ' || len(any_value(parts)) || ' words, and so is no label of '
            || string_agg(asked, ', ' ORDER BY asked) FILTER (len(parts) <> len(TRY_CAST(given AS VARCHAR[])))
        {% if not new_class %}
        WHEN NOT any_value(are_numbers) AND EXISTS (FROM new_names) THEN
            'no row has the label ' || (SELECT string_agg(name, ', ' ORDER BY name) FROM new_names) || '. There are '
            || (SELECT string_agg(name, ', ' ORDER BY name) FROM (FROM names ORDER BY name LIMIT 20))
            || '; new_class=true allows another'
        {% endif %}
    END AS message
    FROM decided
)
SELECT DISTINCT
    key,
    if(action = 'relabel' AND new_label = given, 'keep', action) AS action,
    given AS old_label,
    if(new_label = given, NULL, new_label) AS new_label,
    {{ reviewer | literal }} AS decided_by,
    {{ reason | literal }}::VARCHAR AS reason
FROM decided, verdict
WHERE CASE WHEN message IS NULL THEN true ELSE error(message) END;

CREATE TABLE IF NOT EXISTS {{ log | ident }} (
    key VARCHAR, action VARCHAR, old_label VARCHAR, new_label VARCHAR,
    decided_by VARCHAR, reason VARCHAR, decided_at TIMESTAMP
);

INSERT INTO {{ log | ident }} BY NAME
WITH _log AS (FROM {{ log | ident }})
SELECT *, (SELECT decided_at FROM sqlfuncs.main._sf_now(_log)) AS decided_at
FROM _decided;

WITH _log AS (FROM {{ log | ident }})
SELECT key::VARCHAR AS key, action, old_label, new_label, decided_by, decided_at
FROM sqlfuncs.main._sf_log(_log)
WHERE key::VARCHAR IN (SELECT key FROM _decided)
QUALIFY row_number() OVER (PARTITION BY key ORDER BY decided_at DESC) = 1
ORDER BY key;

DROP TABLE _decided;
