-- Cases of label_health: bad input, types of labels, and probabilities of a few numbers.
-- How a case is written: tests/test_sql_cases.py.

-- case: one label of forty is wrong
CREATE TABLE t AS SELECT i AS id, if(i % 2 = 0 OR i = 3, 'a', 'b') AS label,
    if(i % 2 = 0, MAP {'a': 0.95, 'b': 0.05}, MAP {'a': 0.05, 'b': 0.95}) AS probs
FROM range(80) r(i);
SELECT label, rows, flagged, error_rate BETWEEN error_rate_low AND error_rate_high, confused_with
FROM label_health(t, probs, label);
-- expect
-- a | 41 | 1 | true | b
-- b | 39 | 0 | true | a

-- case: INTEGER labels in the order of numbers, NULL labels not counted
CREATE TABLE t AS SELECT if(i % 2 = 0 OR i = 3, 10, 9) AS label,
    if(i % 2 = 0, MAP {9: 0.1, 10: 0.9}, MAP {9: 0.9, 10: 0.1}) AS probs
FROM range(20) r(i);
UPDATE t SET label = NULL WHERE rowid = 1;
SELECT label, typeof(label), rows, flagged, typeof(confused_with) FROM label_health(t, probs, label);
-- expect
-- 9 | INTEGER | 8 | 0 | INTEGER
-- 10 | INTEGER | 11 | 1 | INTEGER

-- case: BOOLEAN labels
CREATE TABLE t AS SELECT (i % 2 = 0 OR i = 3) AS label,
    if(i % 2 = 0, MAP {true: 0.9, false: 0.1}, MAP {true: 0.1, false: 0.9}) AS probs
FROM range(20) r(i);
SELECT label, typeof(label), rows FROM label_health(t, probs, label);
-- expect
-- false | BOOLEAN | 9
-- true | BOOLEAN | 11

-- case: ENUM labels
CREATE TABLE t AS SELECT if(i % 2 = 0 OR i = 3, 'a', 'b')::ENUM ('b', 'a') AS label,
    if(i % 2 = 0, MAP {'a': 0.9, 'b': 0.1}, MAP {'a': 0.1, 'b': 0.9}) AS probs
FROM range(20) r(i);
SELECT label, typeof(label), rows FROM label_health(t, probs, label);
-- expect
-- a | ENUM('b', 'a') | 11
-- b | ENUM('b', 'a') | 9

-- case: DATE labels of embeddings
CREATE TABLE t AS SELECT if(i % 2 = 0, DATE '2024-01-01', DATE '2024-02-01') AS label,
    [if(i % 2 = 0, 1, -1), i / 100]::FLOAT[] AS e FROM range(40) r(i);
SELECT label, typeof(label), rows, flagged FROM label_health(t, e, label);
-- expect
-- 2024-01-01 | DATE | 20 | 0
-- 2024-02-01 | DATE | 20 | 0

-- case: a class no row has, one no map names, and one of which no row can be judged
CREATE TABLE t AS SELECT CASE WHEN i = 0 THEN 'odd' WHEN i = 1 THEN 'd' WHEN i % 2 = 0 THEN 'a' ELSE 'b' END
    AS label, CASE WHEN i = 1 THEN NULL WHEN i % 2 = 0 THEN MAP {'a': 0.9, 'b': 0.1, 'c': 0.0, 'd': 0.0}
    ELSE MAP {'a': 0.1, 'b': 0.9, 'c': 0.0, 'd': 0.0} END AS probs
FROM range(40) r(i);
SELECT label, rows, flagged, error_rate IS NULL, error_rate_low IS NULL, error_rate_high IS NULL,
    confused_with IS NULL, wrongly_elsewhere IS NULL
FROM label_health(t, probs, label) WHERE label NOT IN ('a', 'b');
-- expect
-- c | 0 | 0 | true | true | true | true | false
-- d | 1 | 0 | true | true | true | true | false
-- odd | 1 | 0 | true | true | true | true | true

-- case: the fields of a STRUCT, and a cut by name
CREATE TABLE t AS SELECT i % 2 + i / 100 AS n, if(i % 2 = 0 OR i = 33, 'a', 'b') AS label
FROM range(60) r(i);
SELECT label, rows, flagged, cut, contains(explanation, 'The cut ''both'' was asked for')
FROM label_health(t, {n: n}, label, cut := 'both');
-- expect
-- a | 31 | 1 | both | true
-- b | 29 | 0 | both | true

-- case: one class
CREATE TABLE t AS SELECT 'a' AS label, [1, i]::FLOAT[] AS e FROM range(20) r(i);
FROM label_health(t, e, label);
-- error: every row that can be judged has the label 'a'

-- case: no rows
CREATE TABLE t (label VARCHAR, e FLOAT[]);
FROM label_health(t, e, label);
-- error: the table has no rows

-- case: an unknown cut
CREATE TABLE t AS SELECT if(i % 2 = 0, 'a', 'b') AS label, [1, i]::FLOAT[] AS e FROM range(20) r(i);
FROM label_health(t, e, label, cut := 'some');
-- error: cut := 'some'
