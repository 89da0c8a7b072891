-- title: Accuracy, where the test labels are wrong too
-- answers: By the test labels as they are, and corrected by those test rows that people have reviewed at random.
-- param labels list = given,pruned,auto_corrected,reviewed,randomly_reviewed: columns of report_said
-- param test table: the rows to test on
-- param test_key column: the column that names a row to test on
-- param label column: their label
-- param test_log table: the log of decisions about them

-- Of those decisions, the ones that count are a random sample: as far as the random order of the
-- rows is decided without a gap. Excluded rows have no right label.
CREATE OR REPLACE TEMP TABLE report_tested AS
WITH input AS (
    SELECT {{ test_key | ident }}::VARCHAR AS key, {{ label | ident }}::VARCHAR AS label FROM {{ test | ident }}
), log AS (
    SELECT key::VARCHAR AS key, action, old_label::VARCHAR AS old_label, new_label::VARCHAR AS new_label,
        decided_by, reason, decided_at
    FROM {{ test_log | ident }} WHERE decided_by IS DISTINCT FROM 'auto_corrections'
), in_force AS (
    FROM sqlfuncs.main._sf_decisions(input, log, key, label, NULL)
    WHERE _sf_action IN ('relabel', 'keep', 'exclude')
), ordered AS (
    SELECT key, label, _sf_action, _sf_new, row_number() OVER (ORDER BY md5('review ' || key)) AS place
    FROM input LEFT JOIN (FROM in_force UNION ALL SELECT NULL, NULL, NULL, NULL, NULL) ON _sf_key = key
)
SELECT key, CASE _sf_action WHEN 'relabel' THEN _sf_new WHEN 'keep' THEN label END AS seen
FROM ordered
WHERE place < (SELECT coalesce(min(place) FILTER (_sf_action IS NULL), count(*) + 1) FROM ordered);

CREATE OR REPLACE TEMP TABLE report_seen AS
FROM report_said LEFT JOIN (FROM report_tested UNION ALL SELECT NULL, NULL) USING (key);

SELECT * REPLACE (if(reviewed < 20, error(
    'of the random sample of the test rows, ' || reviewed || ' are decided, and 20 tell something'
), reviewed) AS reviewed)
FROM (
    {% for each in labels %}
    {% if not loop.first %}
    UNION ALL
    {% endif %}
    SELECT {{ each | literal }} AS labels, * FROM evaluate_noisy(report_seen, actual, {{ each | ident }}, seen)
    {% endfor %}
);
