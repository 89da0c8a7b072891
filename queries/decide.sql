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
-- param new_class boolean = false: allow a new_label that no row of the table has

{% if not keys %}{{ refuse("keys names no row: keys=12,15") }}{% endif %}
{% if reviewer == "auto_corrections" %}{{ refuse("reviewer=auto_corrections would be the machine's word, which waits for a person's: name who decided") }}{% endif %}
{% for name, value in [("new_label", new_label), ("action", action), ("reviewer", reviewer)] %}
{% if name in given and value is none %}{{ refuse(name ~ " is empty: say what it is, or leave it out") }}{% endif %}
{% endfor %}
-- Before there is a log: a mistake leaves nothing behind.
-- Keys and labels may be typed as they are shown: 3 is the key 3.0 of a DOUBLE. What a cast would round is no key.
CREATE OR REPLACE TEMP TABLE _decided AS
WITH kinds AS (
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
    SELECT DISTINCT {{ label | ident }}::VARCHAR AS class
    FROM {{ table | ident }}
    WHERE {{ label | ident }} IS NOT NULL
), said AS (
    SELECT
        coalesce({{ action | literal }}, if({{ new_label | literal }} IS NULL, 'keep', 'relabel')) AS action,
        -- A class of the table as it is written there, or what was typed.
        coalesce(
            (SELECT class FROM classes WHERE class = {{ new_label | literal }}),
            (
                SELECT min(class) FROM classes, kinds
                WHERE class = TRY(cast_to_type({{ new_label | literal }}::VARCHAR, a_label))::VARCHAR
                    AND TRY_CAST(class AS DOUBLE) IS NOT DISTINCT FROM TRY_CAST({{ new_label | literal }} AS DOUBLE)
                    AND TRY_CAST(class AS TIMESTAMP) IS NOT DISTINCT FROM TRY_CAST({{ new_label | literal }} AS TIMESTAMP)
            ),
            {{ new_label | literal }}
        )::VARCHAR AS new_label
), verdict AS (
    SELECT CASE
        WHEN any_value(action) NOT IN ('relabel', 'keep', 'exclude', 'needs_review') THEN
            'nothing was written: action is relabel, keep, exclude or needs_review, not ' || any_value(action)
        WHEN (any_value(action) = 'relabel') <> (any_value(new_label) IS NOT NULL) THEN
            'nothing was written: action=relabel takes new_label=..., what to relabel to, which goes with no other action'
        WHEN count(*) FILTER (n = 0) > 0 THEN
            'nothing was written: no row has the key '
            || string_agg(asked, ', ' ORDER BY asked) FILTER (n = 0)
        WHEN count(*) FILTER (n > 1) > 0 THEN
            'nothing was written: several rows have the key '
            || string_agg(asked, ', ' ORDER BY asked) FILTER (n > 1)
        {% if not new_class %}
        WHEN any_value(new_label) NOT IN (SELECT class FROM classes) THEN
            'nothing was written: no row has the label ' || any_value(new_label) || '. There are '
            || (SELECT string_agg(class, ', ' ORDER BY class) FROM (FROM classes ORDER BY class LIMIT 20))
            || '; new_class=true allows another'
        {% endif %}
    END AS message
    FROM found, said
)
SELECT DISTINCT
    key,
    if(action = 'relabel' AND new_label = given, 'keep', action) AS action,
    given AS old_label,
    if(new_label = given, NULL, new_label) AS new_label,
    {{ reviewer | literal }} AS decided_by,
    {{ reason | literal }}::VARCHAR AS reason
FROM found, said, verdict
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
