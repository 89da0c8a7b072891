-- case: a missing prediction is wrong, a missing truth left out
CREATE TABLE t AS FROM (VALUES (1, '1'), (1, NULL), (NULL, '1'), (2, '2'), (2, '1')) v(actual, said);
SELECT n, correct, accuracy, round(accuracy_low, 3), round(accuracy_high, 3), round(macro_f1, 3)
FROM evaluate(t, actual, said);
-- expect
-- 4 | 2 | 0.5 | 0.15 | 0.85 | 0.583

-- case: an empty table
CREATE TABLE t (actual VARCHAR, said VARCHAR);
FROM evaluate(t, actual, said);
-- error: the table has no rows: there is nothing to evaluate

-- case: all truths NULL
CREATE TABLE t AS SELECT NULL::VARCHAR AS actual, 'a' AS said FROM range(3);
FROM evaluate(t, actual, said);
-- error: the true label is NULL in all 3 rows
-- error: (table, actual, predicted, ...)

-- case: an unknown column
CREATE TABLE t AS SELECT 'a' AS actual;
FROM evaluate(t, actual, said);
-- error: Referenced column "said" not found

-- case: an argument too few
CREATE TABLE t AS SELECT 'a' AS actual;
FROM evaluate(t, actual);
-- error: evaluate(tbl, actual, predicted

-- case: tags as text beside lists of them
CREATE TABLE t AS FROM (VALUES ('[a]', ['a']), ('[a, b]', ['a', 'b']), ('[]', [])) v(actual, said);
FROM evaluate(t, actual, said);
-- error: predicted holds lists of tags, and actual does not: name the column of lists, such as

-- case: tags of which none is among the true ones
CREATE TABLE t AS FROM (VALUES (['a'], ['X']), (['a', 'b'], ['X', 'Y']), ([], [])) v(actual, said);
FROM evaluate(t, actual, said);
-- error: actual and predicted share no tag: actual holds 'a', 'b'; predicted holds 'X', 'Y'

-- case: a single tag that is always wrong
CREATE TABLE t AS FROM (VALUES (['a'], ['c']), (['a', 'b'], ['c']), ([], NULL)) v(actual, said);
SELECT n, correct FROM evaluate(t, actual, said);
-- expect
-- 3 | 0
