-- Cases of outliers: what is refused, and vectors of a few numbers.
-- How a case is written: tests/test_sql_cases.py.

-- case: a vector that points elsewhere
CREATE TABLE t AS SELECT i AS id, if(i = 7, [-1, 0.2], [1, i / 100])::FLOAT[2] AS e FROM range(30) r(i);
SELECT id, outlier_score > 0.99, is_outlier, not_judged FROM outliers(t, e)
ORDER BY outlier_score DESC LIMIT 1;
-- expect
-- 7 | true | true | NULL

-- case: the threshold and the number of neighbours may be chosen
CREATE TABLE t AS SELECT i AS id, if(i = 7, [-1, 0.2], [1, i / 100])::FLOAT[2] AS e FROM range(30) r(i);
SELECT count(*) FROM outliers(t, e, k := 3, threshold := 1) WHERE is_outlier;
-- expect
-- 0

-- case: two rows are as typical as each other
CREATE TABLE t AS SELECT unnest([[1, 0], [0, 1]]) AS e;
SELECT outlier_score, is_outlier FROM outliers(t, e);
-- expect
-- 0.0 | false
-- 0.0 | false

-- case: one row
CREATE TABLE t AS SELECT [1, 0] AS e;
FROM outliers(t, e);
-- error: only one row can be judged

-- case: no rows
CREATE TABLE t (e FLOAT[]);
FROM outliers(t, e);
-- error: the table has no rows

-- case: no row that can be judged
CREATE TABLE t AS SELECT NULL::FLOAT[] AS e FROM range(3);
FROM outliers(t, e);
-- error: no row can be judged: the embedding is NULL (3 rows)

-- case: class probabilities are refused
CREATE TABLE t AS SELECT MAP {'a': 0.5, 'b': 0.5} AS probs;
FROM outliers(t, probs);
-- error: class probabilities do not say which rows are alike
-- error: text (VARCHAR) or an embedding (FLOAT[])

-- case: no neighbours
CREATE TABLE t AS SELECT [1, 0] AS e;
FROM outliers(t, e, k := 0);
-- error: k := 0
-- error: 1 to 100

-- case: a threshold that is no score
CREATE TABLE t AS SELECT [1, 0] AS e;
FROM outliers(t, e, threshold := 1.5);
-- error: threshold := 1.5 is no score

-- case: a column that is already called is_outlier
CREATE TABLE t AS SELECT [1, 0] AS e, true AS is_outlier;
FROM outliers(t, e);
-- error: the table already has the column "is_outlier"
