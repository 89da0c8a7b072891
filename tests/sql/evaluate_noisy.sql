-- case: a missing prediction is wrong, a row without a label left out
CREATE TABLE t AS FROM (VALUES (1, '1', 1), (1, NULL, 1), (NULL, '1', 1), (2, '2', NULL), (2, '1', 1)) v(given, said, seen);
SELECT n, reviewed, accuracy_given, accuracy, label_accuracy FROM evaluate_noisy(t, given, said, seen);
-- expect
-- 4 | 3 | 0.5 | 0.75 | 0.75

-- case: nothing was reviewed
CREATE TABLE t AS SELECT 'a' AS given, 'a' AS said, NULL::VARCHAR AS seen FROM range(3);
FROM evaluate_noisy(t, given, said, seen);
-- error: no row has been reviewed: reviewed_sample is NULL in all 3 rows
-- error: USING SAMPLE 100

-- case: an empty table
CREATE TABLE t (given VARCHAR, said VARCHAR, seen VARCHAR);
FROM evaluate_noisy(t, given, said, seen);
-- error: the table has no rows: there is nothing to evaluate

-- case: no label at all
CREATE TABLE t AS SELECT NULL::VARCHAR AS given, 'a' AS said, 'a' AS seen FROM range(3);
FROM evaluate_noisy(t, given, said, seen);
-- error: the label is NULL in all 3 rows

-- case: an unknown column
CREATE TABLE t AS SELECT 'a' AS given, 'a' AS said;
FROM evaluate_noisy(t, given, said, sen);
-- error: Referenced column "sen" not found

-- case: a column in quotes
CREATE TABLE t AS SELECT 'a' AS given, 'a' AS said, 'a' AS seen;
FROM evaluate_noisy(t, given, said, 'seen');
-- error: 'seen' is a constant text, not a column

-- case: an argument too few
CREATE TABLE t AS SELECT 'a' AS given, 'a' AS said;
FROM evaluate_noisy(t, given, said);
-- error: evaluate_noisy(tbl, actual, predicted, reviewed_sample

-- case: tags in any order
CREATE TABLE t AS FROM (VALUES (['a', 'b'], ['b', 'a'], ['a', 'b']), (['a'], NULL, ['a']), (NULL, ['a'], ['a']), ([], ['b'], NULL), (['b'], ['a'], ['a'])) v(given, said, seen);
SELECT n, reviewed, accuracy_given, accuracy, label_accuracy FROM evaluate_noisy(t, given, said, seen);
-- expect
-- 4 | 3 | 0.25 | 0.625 | 0.625

-- case: numbers are more or less right
CREATE TABLE t AS SELECT i / 7 AS given, i / 8 AS said, if(i < 50, i / 7, NULL) AS seen FROM range(300) r(i);
FROM evaluate_noisy(t, given, said, seen);
-- error: evaluate with reviewed_sample as the true label
