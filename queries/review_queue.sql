-- title: What to review first
-- answers: Which rows should a person look at: the most doubtful ones, or a sample that tells what may be corrected?
-- param issues table = issues: a result of detect
-- param key column = id: the column that names a row
-- param text column = text: what to read
-- param label column = label: the label given
-- param log table = : a decision log; rows that somebody has decided there are left out
-- param budget integer = 10: how many rows
-- param order text = worst: worst, the most doubtful of the flagged rows first; or random, a sample of all
-- param purpose text = find: find wrong labels; or verify: draw at random of the rows that correct may change, and what is decided of them tells correct how many of the others to change
-- param learn boolean = false: judge the rows again by what is decided in the log, as the review page does
-- param table table = train: the table that is judged again
-- param x column = : what the model reads then, if not the text

{% if budget is none or budget < 1 %}{{ refuse("budget is how many rows: 1 or more") }}{% endif %}
{% if purpose != "find" and learn or purpose == "verify" and order != "worst" %}{{ refuse("purpose=verify has an order of its own, and judges by the labels as given: leave learn and order out") }}{% endif %}
{% if learn %}
{% if not log %}{{ refuse("learn=true learns from a decision log: log=decisions") }}{% endif %}
{% if order != "worst" %}{{ refuse("what is learned changes the order worst, and no other: leave learn or order out") }}{% endif %}
WITH _input AS (FROM {{ table | ident }}), _log AS (
    SELECT * FROM {{ log | ident }} WHERE sqlfuncs.main._sf_is_person(decided_by)
)
SELECT
    {{ key | ident }},
    {{ label | ident }} AS given,
    suggested_label AS suggested,
    round(label_quality, 3) AS label_quality,
    {{ text | ident }}
FROM review_queue(
    _input, {% if x %}{{ x | ident }}{% else %}{{ text | ident }}{% endif %}, {{ label | ident }}, {{ key | ident }},
    budget := {{ budget | literal }}, log := _log
);
{% else %}
WITH _issues AS (FROM {{ issues | ident }})
{% if log %}, _log AS (FROM {{ log | ident }}){% endif %}
SELECT
    {{ key | ident }},
    {{ label | ident }} AS given,
    suggested_label AS suggested,
    round(label_quality, 3) AS label_quality,
    {{ text | ident }}
FROM (
    SELECT *,
        -- A random order that is the same for everybody, every time: what is reviewed of it is a sample.
        CASE {{ ("random" if purpose == "verify" else order) | literal }}
            WHEN 'random' THEN sqlfuncs.main._sf_random_order({{ key | ident }})
        END AS _sf_order
{% if purpose == "verify" %}
    FROM sqlfuncs.main._candidates(
        _issues, {{ label | ident }}, {% if engine == "spark" %}class_probs{% else %}sqlfuncs.main._sf_probs(class_probs){% endif %},
        not_judged, is_label_issue, suggested_label, suggested_confidence
    )
) AS i
WHERE i.{{ key | ident }} IS NOT NULL AND _sf_candidate
{% else %}
    FROM _issues
) AS i
WHERE CASE {{ order | literal }}
        WHEN 'worst' THEN is_label_issue
        WHEN 'random' THEN true
        ELSE {{ "error" | word }}('order is worst or random, not ' || {{ order | literal }})
    END
    AND CASE {{ purpose | literal }}
        WHEN 'find' THEN true
        ELSE {{ "error" | word }}('purpose is find or verify, not ' || {{ purpose | literal }})
    END
{% endif %}
    {% if log %}
    AND i.{{ key | ident }}::STRING NOT IN (
        SELECT key
        FROM sqlfuncs.main._sf_log_of(_issues, _log, {{ key | ident }}, {{ label | ident }})
        WHERE key IS NOT NULL AND sqlfuncs.main._sf_is_person(decided_by)
        GROUP BY key
        HAVING max_by(action <> 'needs_review', decided_at)
    )
    {% endif %}
ORDER BY
    i._sf_order NULLS LAST,
    i.label_quality NULLS LAST,
    i.{{ key | ident }} NULLS LAST
LIMIT {{ budget | literal }};
{% endif %}
