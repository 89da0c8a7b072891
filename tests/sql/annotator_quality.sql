-- Cases of annotator_quality. How a case is written: tests/test_sql_cases.py.

-- case: the worst first, with what they miss
CREATE TABLE v AS
SELECT i AS item, who, CASE WHEN who = 3 AND i % 2 = 0 THEN 'b' WHEN i % 2 = 0 THEN 'a' ELSE 'b' END AS label
FROM range(20) r(i), (VALUES (1), (2), (3)) w(who);
SELECT annotator, labels, agreement_with_consensus, round(agreement_low, 3), round(agreement_high, 3),
    worst_class, typeof(annotator)
FROM annotator_quality(v, item, who, label);
-- expect
-- 3 | 20 | 0.5 | 0.299 | 0.701 | a | INTEGER
-- 1 | 20 | 1.0 | 0.839 | 1.0 | NULL | INTEGER
-- 2 | 20 | 1.0 | 0.839 | 1.0 | NULL | INTEGER

-- case: by majority, how often another annotator says the same
CREATE TABLE v (item INTEGER, who VARCHAR, label VARCHAR);
INSERT INTO v VALUES (1, 'ann', 'x'), (1, 'bob', 'x'), (1, 'cay', 'y'), (2, 'ann', 'x'), (2, 'bob', 'x'),
    (3, 'dan', 'y');
FROM annotator_quality(v, item, who, label, method := 'majority')
SELECT annotator, quality, labels, agreement_with_consensus;
-- expect
-- cay | 0.0 | 1 | 0.0
-- ann | 0.6666666666666666 | 2 | 1.0
-- bob | 0.6666666666666666 | 2 | 1.0
-- dan | NULL | 1 | NULL

-- case: annotators of one label each
CREATE TABLE v AS SELECT i AS item, i AS who, if(i % 2 = 0, 'x', 'y') AS label FROM range(3) r(i);
FROM annotator_quality(v, item, who, label);
-- expect
-- 0 | NULL | 1 | NULL | NULL | NULL | NULL
-- 1 | NULL | 1 | NULL | NULL | NULL | NULL
-- 2 | NULL | 1 | NULL | NULL | NULL | NULL

-- case: annotators of one label each, with a model
CREATE TABLE v AS SELECT i AS item, i AS who, if(i % 2 = 0, 'x', 'y') AS label,
    MAP {'x': 0.75, 'y': 0.25} AS probs FROM range(3) r(i);
SELECT annotator, quality, labels FROM annotator_quality(v, item, who, label, x := probs);
-- expect
-- 1 | 0.25 | 1
-- 0 | 0.75 | 1
-- 2 | 0.75 | 1

-- case: labels keep their type
CREATE TABLE v AS SELECT i // 3 AS item, i % 3 AS who, if(i = 4, 10, 9) AS label FROM range(9) r(i);
SELECT annotator, worst_class, typeof(worst_class) FROM annotator_quality(v, item, who, label);
-- expect
-- 1 | 9 | INTEGER
-- 0 | NULL | INTEGER
-- 2 | NULL | INTEGER

-- case: an empty table
CREATE TABLE v (item INTEGER, who VARCHAR, label VARCHAR);
FROM annotator_quality(v, item, who, label);
-- error: the table has no rows
