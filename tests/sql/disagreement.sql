-- Cases of disagreement. How a case is written: tests/test_sql_cases.py.

-- case: pairs of annotators who differ; one annotator is no pair; an item of no label is foretold
CREATE TABLE v AS SELECT *, MAP {'x': 0.6, 'y': 0.4} AS probs FROM (VALUES
    (2, 'ann', 'x'), (2, 'bob', 'y'), (2, 'cid', 'x'), (1, 'ann', 'x'), (1, 'bob', 'x'), (3, 'ann', 'y'), (4, NULL, NULL)
) t(item, who, label);
SELECT item, round(disagreement, 3), expected_disagreement BETWEEN 0 AND 1, annotators, not_judged, typeof(item)
FROM disagreement(v, item, who, label, probs);
-- expect
-- 2 | 0.667 | true | 3 | NULL | INTEGER
-- 1 | 0.0 | true | 2 | NULL | INTEGER
-- 3 | NULL | true | 1 | NULL | INTEGER
-- 4 | NULL | true | 0 | NULL | INTEGER

-- case: nobody labelled an item twice: what the probabilities say
CREATE TABLE v AS SELECT i AS item, 'ann' AS who, 'x' AS label, MAP {'x': 0.9 - i / 10, 'y': 0.1 + i / 10} AS probs
FROM range(3) r(i);
SELECT item, disagreement, round(expected_disagreement, 2) FROM disagreement(v, item, who, label, probs);
-- expect
-- 0 | NULL | 0.18
-- 1 | NULL | 0.32
-- 2 | NULL | 0.42

-- case: an item whose x cannot be used
CREATE TABLE v AS SELECT i // 2 AS item, i % 2 AS who, 'x' AS label,
    CASE WHEN i > 1 THEN MAP {'x': 0.5, 'y': 0.5} END AS probs FROM range(6) r(i);
SELECT item, disagreement, expected_disagreement IS NULL, not_judged FROM disagreement(v, item, who, label, probs)
WHERE item = 0;
-- expect
-- 0 | 0.0 | true | the probabilities are NULL

-- case: one class
CREATE TABLE v AS SELECT i // 2 AS item, i % 2 AS who, 'x' AS label, [i // 2, 1]::FLOAT[] AS e FROM range(20) r(i);
SELECT max(disagreement), max(expected_disagreement), count(*) FROM disagreement(v, item, who, label, e);
-- expect
-- 0.0 | 0.0 | 10

-- case: no x
CREATE TABLE v AS SELECT 1 AS item, 1 AS who, 'x' AS label;
FROM disagreement(v, item, who, label, NULL);
-- error: no item has an x that can be used: x is NULL (1 row)

-- case: too few folds
CREATE TABLE v AS SELECT 1 AS item, 1 AS who, 'x' AS label, 'text' AS text;
FROM disagreement(v, item, who, label, text, folds := 1);
-- error: folds := 1 is too few

-- case: one annotator, two labels of an item
CREATE TABLE v AS SELECT 1 AS item, 1 AS who, unnest(['x', 'y']) AS label, 'text' AS text;
FROM disagreement(v, item, who, label, text);
-- error: an annotator gave one item different labels
