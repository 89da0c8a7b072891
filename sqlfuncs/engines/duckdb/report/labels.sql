-- title: The labels to train on
-- answers: What is each row's label as given, pruned, corrected, reviewed, and had random rows been reviewed?
-- param test table: rows to test on, with labels that can be trusted
-- param reads column: what models are trained on, in both tables
-- param label column: the label, in both tables
-- param test_key column = : the column that names a row to test on
-- param is_text boolean = true: whether that is text
-- param task text = auto: as in auto_corrections
-- param keeps_type boolean = false: whether labels are tags or numbers, and no classes
-- param has_truth boolean = false: whether the right labels are known

CREATE OR REPLACE TEMP TABLE report_test AS
SELECT {% if test_key %}{{ test_key | ident }}::VARCHAR{% else %}NULL::VARCHAR{% endif %} AS key,
    {{ reads | ident }} AS x, {{ label | ident }}{% if not keeps_type %}::VARCHAR{% endif %} AS label
FROM {{ test | ident }}
WHERE {{ reads | ident }} IS NOT NULL AND {{ label | ident }} IS NOT NULL;

-- A control: as many rows as people have decided about, had they been drawn at random. What those
-- would have held is known where the right labels are; else it is as many of the wrong labels that
-- were found as there are wrong ones in so many rows, by the random sample.
CREATE OR REPLACE TEMP TABLE report_control AS
WITH counted AS (
    SELECT count(*) FILTER (is_decided) AS n, count(*) FILTER (is_wrong) AS found,
        count(*) FILTER (is_random AND is_wrong) / nullif(count(*) FILTER (is_random), 0) AS wrong_share
    FROM report_rows
)
SELECT n, found, wrong_share, round(n * wrong_share)::BIGINT AS wrong FROM counted;

-- Rows that are in the table to test on are left out, if they differ in case and signs only.
CREATE OR REPLACE TEMP TABLE report_labels AS
WITH proposed AS (
    SELECT key AS _key, new_label AS proposed FROM auto_corrections(report_rows, key, label{% if keeps_type %}, log := report_people{% endif %}, task := {{ task | literal }})
    UNION ALL
    SELECT NULL, NULL
), known AS (
    SELECT * REPLACE ({% if is_text %}shown{% else %}x{% endif %} AS x), {% if has_truth %}cast_to_type(truth, label){% else %}CASE action WHEN 'relabel' THEN cast_to_type(new_label, label) WHEN 'keep' THEN label END{% endif %} AS right_label,
        {% if has_truth %}true{% else %}is_wrong{% endif %} AS is_drawn
    FROM report_rows LEFT JOIN proposed ON _key = key
), ranked AS (
    SELECT *, row_number() OVER (PARTITION BY is_drawn ORDER BY md5('control ' || key)) AS place FROM known
)
SELECT
    key,
    x,
    label AS given,
    CASE WHEN is_label_issue IS NOT TRUE THEN label END AS pruned,
    coalesce(proposed, label) AS auto_corrected,
    CASE action WHEN 'relabel' THEN cast_to_type(new_label, label) WHEN 'exclude' THEN NULL ELSE label END AS reviewed,
    CASE WHEN is_drawn AND place <= {% if has_truth %}n{% else %}wrong{% endif %} THEN right_label ELSE label END
        AS randomly_reviewed
FROM ranked, report_control
WHERE x IS NOT NULL
{% if is_text %}
    AND regexp_replace(lower(x), '[\s\pP\pS]', '', 'g') NOT IN (
        SELECT regexp_replace(lower(x), '[\s\pP\pS]', '', 'g') FROM report_test
    )
{% else %}
    AND x NOT IN (SELECT x FROM report_test)
{% endif %};

-- What can be trained on takes two classes or more.
SELECT
    (SELECT count(*) FROM report_rows) AS "rows",
    count(*) AS trained_on,
    (SELECT count(*) FROM report_test) AS tested_on,
    (SELECT count(*) FROM report_test{% if not keeps_type %} WHERE label IN (SELECT label FROM report_rows){% endif %}) AS tested_on_known,
    count(*) FILTER (auto_corrected IS DISTINCT FROM given) AS proposed,
    any_value(found) AS found,
    any_value(wrong_share) AS wrong_share,
    {% if has_truth %}count(*) FILTER (randomly_reviewed IS DISTINCT FROM given){% else %}any_value(wrong){% endif %} AS wrong_at_random,
    count(DISTINCT given) AS given,
    count(DISTINCT pruned) AS pruned,
    count(DISTINCT auto_corrected) AS auto_corrected,
    count(DISTINCT reviewed) AS reviewed,
    count(DISTINCT randomly_reviewed) AS randomly_reviewed
FROM report_labels, report_control;
