-- title: The test rows that people have reviewed
-- answers: Which of them belong to a random sample, and what should their labels be?
-- param test table: the rows to test on
-- param test_key column: the column that names a row to test on
-- param label column: their label
-- param test_log table: the log of decisions about them

-- Of those decisions, the ones of a random sample count. Excluded rows have no right label.
CREATE OR REPLACE TEMP TABLE report_tested AS
WITH input AS (
    SELECT {{ test_key | ident }} AS key, {{ label | ident }} AS label FROM {{ test | ident }}
), log AS (
    FROM {{ test_log | ident }} WHERE sqlfuncs.main._sf_is_person(decided_by)
)
SELECT i.key::VARCHAR AS key,
    CASE _sf_action WHEN 'relabel' THEN _sf_new WHEN 'keep' THEN i.label::VARCHAR END AS seen
FROM input AS i JOIN sqlfuncs.main._sf_reviewed(input, log, key, label) ON _sf_row = i.key::VARCHAR
WHERE _sf_is_random;

CREATE OR REPLACE TEMP TABLE report_seen AS
FROM report_said LEFT JOIN (FROM report_tested UNION ALL SELECT NULL, NULL) USING (key);

SELECT count(seen) AS reviewed FROM report_seen;
