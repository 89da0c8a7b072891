-- title: The rows under review
-- answers: What does the model say of each row, and what have people decided about it?
-- param table table: the table that is reviewed
-- param key column: the column that names a row
-- param label column: the label given
-- param text column: what a row says
-- param x column: what the model reads
-- param truth column = : the right labels, where they are known
-- param log table = : the decision log
-- param model text = fast: as in label_issues
-- param task text = auto: as in label_issues
-- param keeps_type boolean = false: whether labels are no classes
-- param is_list boolean = false: whether they are tags
-- param is_words boolean = false: whether they are of words
-- param is_listed boolean = false: whether what a row says is a list

CREATE OR REPLACE TEMP TABLE report_log AS
WITH _log AS (
    {% if log %}
    FROM {{ log | ident }}
    {% else %}
    SELECT NULL::VARCHAR AS key, NULL::TIMESTAMP AS decided_at WHERE false
    {% endif %}
), input AS (FROM {{ table | ident }})
SELECT key, action, old_label, new_label, coalesce(decided_by, 'nobody') AS decided_by, reason, decided_at
FROM sqlfuncs.main._sf_log_of(input, _log, {{ key | ident }}, {{ label | ident }});

-- Decisions of people. What auto_corrections wrote waits for one.
CREATE OR REPLACE TEMP TABLE report_people AS
FROM report_log WHERE sqlfuncs.main._sf_is_person(decided_by);

-- What auto_corrections wrote and nobody has decided since.
CREATE OR REPLACE TEMP TABLE report_machine AS
SELECT key, sqlfuncs.main._sf_risk(latest.reason) AS risk
FROM (
    SELECT key, arg_max({who: decided_by, action: action, reason: reason}, decided_at) AS latest
    FROM report_log GROUP BY key
)
WHERE NOT sqlfuncs.main._sf_is_person(latest.who) AND latest.action IN ('relabel', 'exclude');

CREATE OR REPLACE TEMP TABLE report_rows AS
WITH input AS (
    SELECT
        {{ key | ident }}::VARCHAR AS key,
        {{ label | ident }}{% if not keeps_type %}::VARCHAR{% endif %} AS label,
        {{ x | ident }} AS x,
        {% if is_words and is_listed %}
        array_to_string({{ text | ident }}, ' ') AS shown,
        {% else %}
        {{ text | ident }}::VARCHAR AS shown,
        {% endif %}
        {% if truth %}
        coalesce(sqlfuncs.main._sf_in_words({{ truth | ident }}, {{ label | ident }}), error('the right label is NULL in some rows: leave --truth out')) AS truth
        {% else %}
        NULL::VARCHAR AS truth
        {% endif %}
    FROM {{ table | ident }}
), judged AS MATERIALIZED (
    FROM label_issues(input, x, label, model := {{ model | literal }}, task := {{ task | literal }})
), reviewed AS (
    FROM sqlfuncs.main._sf_reviewed(input, report_people, key, label)
), moments AS (
    SELECT key AS _sf_key, min(decided_at) AS decided_at
    FROM report_people
    WHERE action <> 'needs_review' AND sqlfuncs.main._sf_undone(reason) IS NULL
    GROUP BY key
    UNION ALL
    SELECT NULL, NULL
)
SELECT
    judged.*,
    _sf_action AS action,
    _sf_new AS new_label,
    decided_at,
    _sf_is_decided AS is_decided,
    _sf_is_wrong AS is_wrong,
    {% if is_list %}
    list_sort(list_distinct(truth::VARCHAR[])) <> list_sort(list_distinct(label)) AS is_untrue,
    {% else %}
    truth <> label::VARCHAR AS is_untrue,
    {% endif %}
    row_number() OVER (ORDER BY label_quality, key) AS quality_rank,
    _sf_is_random AS is_random
FROM judged
    LEFT JOIN reviewed ON _sf_row = key
    LEFT JOIN moments ON moments._sf_key = key;

SELECT
    count(*) AS "rows",
    count(*) FILTER (not_judged IS NOT NULL) AS not_judged,
    (
        SELECT string_agg(not_judged || ' (' || n || ')', ', ' ORDER BY n DESC, not_judged)
        FROM (
            SELECT not_judged, count(*) AS n FROM report_rows WHERE not_judged IS NOT NULL GROUP BY ALL
            ORDER BY n DESC, not_judged LIMIT 5
        )
    ) AS why_not_judged,
    count(*) FILTER (is_decided) AS reviewed,
    count(*) FILTER (is_wrong) AS wrong,
    count(*) FILTER (is_label_issue) AS flagged,
    count(*) FILTER (is_label_issue AND is_decided) AS flags_reviewed,
    count(*) FILTER (is_label_issue AND is_wrong) AS flags_right,
    flags_right / nullif(flags_reviewed, 0) AS "precision",
    sqlfuncs.main._sf_wilson(flags_right, nullif(flags_reviewed, 0), -1) AS precision_low,
    sqlfuncs.main._sf_wilson(flags_right, nullif(flags_reviewed, 0), 1) AS precision_high,
    count(*) FILTER (is_random) AS random_reviewed,
    count(*) FILTER (is_random AND is_wrong) AS random_wrong,
    (SELECT count(*) FROM report_machine) AS auto_corrected,
    (SELECT count(risk) FROM report_machine) AS released,
    (SELECT max(risk) FROM report_machine) AS risk
FROM report_rows;
