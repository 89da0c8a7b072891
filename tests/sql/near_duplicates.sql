-- Cases of near_duplicates: what is refused, and vectors of a few numbers.
-- How a case is written: tests/test_sql_cases.py.

-- case: groups are numbered in order of their first rows, 1 is for identical rows only
CREATE TABLE t AS SELECT unnest([[0, 1], [5, 5], [1, 0], [0, 1], [1, 0.01], [2, 0], NULL]) AS e;
SELECT near_duplicate_group, round(near_duplicate_score, 4), not_judged FROM near_duplicates(t, e);
-- expect
-- 1 | 1.0 | NULL
-- NULL | 0.7141 | NULL
-- 2 | 0.9999 | NULL
-- 1 | 1.0 | NULL
-- 2 | 0.9999 | NULL
-- 2 | 0.9999 | NULL
-- NULL | NULL | the embedding is NULL

-- case: one row has nothing beside it
CREATE TABLE t AS SELECT [1, 0] AS e;
SELECT near_duplicate_group, near_duplicate_score, not_judged FROM near_duplicates(t, e);
-- expect
-- NULL | 0.0 | NULL

-- case: no rows
CREATE TABLE t (e FLOAT[]);
FROM near_duplicates(t, e);
-- error: the table has no rows

-- case: class probabilities are refused
CREATE TABLE t AS SELECT MAP {'a': 0.5, 'b': 0.5} AS probs;
FROM near_duplicates(t, probs);
-- error: class probabilities do not say which rows are alike

-- case: a threshold of zero
CREATE TABLE t AS SELECT [1, 0] AS e;
FROM near_duplicates(t, e, threshold := 0);
-- error: threshold := 0.0 is no likeness

-- case: too many neighbours
CREATE TABLE t AS SELECT [1, 0] AS e;
FROM near_duplicates(t, e, k := 1000);
-- error: 1 to 100
