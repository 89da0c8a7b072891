-- Cases of audit: bad input, and probabilities and embeddings of a few numbers.
-- How a case is written: tests/test_sql_cases.py.

-- case: a wrong label, an ambiguous row and a sure one
CREATE TABLE t AS SELECT i AS id, if(i % 2 = 0 OR i = 3, 'a', 'b') AS label,
    CASE WHEN i = 8 THEN MAP {'a': 0.55, 'b': 0.45}
        WHEN i % 2 = 0 THEN MAP {'a': 0.9, 'b': 0.1} ELSE MAP {'a': 0.1, 'b': 0.9} END AS probs
FROM range(20) r(i);
SELECT id, is_label_issue, suggested_label, round(ambiguity, 3), is_ambiguous, is_well_labeled, is_unlabeled,
    outlier_score
FROM audit(t, probs, label) WHERE id IN (2, 3, 8);
-- expect
-- 2 | false | NULL | 0.111 | false | true | false | NULL
-- 3 | true | b | 0.111 | false | false | false | NULL
-- 8 | false | NULL | 0.818 | true | false | false | NULL

-- case: DATE labels, and the label of an unlabelled row is suggested as one
CREATE TABLE t AS SELECT i AS id, if(i % 2 = 0, DATE '2024-01-01', DATE '2024-02-01') AS label,
    [if(i % 2 = 0, 1, -1), i / 100]::FLOAT[] AS e FROM range(40) r(i);
UPDATE t SET label = NULL WHERE id = 5;
SELECT label, suggested_label, typeof(predicted_label), is_unlabeled, is_well_labeled
FROM audit(t, e, label) WHERE id = 5;
-- expect
-- NULL | 2024-02-01 | DATE | true | false

-- case: one class
CREATE TABLE t AS SELECT 'a' AS label, [1, i]::FLOAT[] AS e FROM range(20) r(i);
FROM audit(t, e, label);
-- error: every row that can be judged has the label 'a'

-- case: no rows
CREATE TABLE t (label VARCHAR, e FLOAT[]);
FROM audit(t, e, label);
-- error: the table has no rows

-- case: a column that is already called is_outlier
CREATE TABLE t AS SELECT if(i % 2 = 0, 'a', 'b') AS label, [1, i]::FLOAT[] AS e, true AS is_outlier
FROM range(20) r(i);
FROM audit(t, e, label);
-- error: the table already has the column "is_outlier", which audit adds

-- case: thresholds that cannot be
CREATE TABLE t AS SELECT if(i % 2 = 0, 'a', 'b') AS label, [1, i]::FLOAT[] AS e FROM range(20) r(i);
FROM audit(t, e, label, near_duplicate_threshold := 0);
-- error: near_duplicate_threshold := 0.0 is no likeness

-- case: two texts
CREATE TABLE t AS SELECT * FROM (VALUES ('good', 'same'), ('bad', 'same')) v(label, x);
SELECT label, is_label_issue, not_judged FROM audit(t, x, label) ORDER BY label;
-- expect
-- bad | false | NULL
-- good | false | NULL
