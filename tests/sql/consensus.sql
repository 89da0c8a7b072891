-- Cases of consensus: types, ties and bad input. How a case is written: tests/test_sql_cases.py.

-- case: majority, its agreement and its number of annotators, in the order items first appear
CREATE TABLE v (item VARCHAR, who VARCHAR, label VARCHAR);
INSERT INTO v VALUES ('b', 'ann', 'x'), ('a', 'ann', 'y'), ('b', 'bob', 'x'), ('b', 'cay', 'y'),
    ('a', 'bob', 'y');
SELECT item, consensus_label, round(agreement, 3), annotators, not_judged
FROM consensus(v, item, who, label, method := 'majority');
-- expect
-- b | x | 0.667 | 3 | NULL
-- a | y | 1.0 | 2 | NULL

-- case: quality of the majority has one more vote, spread as all votes are
CREATE TABLE v (item VARCHAR, who VARCHAR, label VARCHAR);
INSERT INTO v VALUES ('a', 'ann', 'x'), ('b', 'ann', 'x'), ('b', 'bob', 'x'), ('c', 'bob', 'y');
SELECT item, consensus_quality FROM consensus(v, item, who, label, method := 'majority');
-- expect
-- a | 0.875
-- b | 0.9166666666666666
-- c | 0.625

-- case: a tie goes to the class with more votes overall, then to the earlier class
CREATE TABLE v (item INTEGER, who VARCHAR, label VARCHAR);
INSERT INTO v VALUES (1, 'ann', 'p'), (1, 'bob', 'q'), (2, 'ann', 'q'), (3, 'ann', 'r'),
    (3, 'bob', 'z');
SELECT item, consensus_label FROM consensus(v, item, who, label, method := 'majority');
-- expect
-- 1 | q
-- 2 | q
-- 3 | r

-- case: items that are BIGINT, labels that are INTEGER, annotators that are UUID
CREATE TABLE v AS SELECT 9223372036854775800 + i // 3 AS item, md5((i % 3)::VARCHAR)::UUID AS who,
    if(i = 4, 10, 9) AS label FROM range(9) r(i);
SELECT item, typeof(item), consensus_label, typeof(consensus_label) FROM consensus(v, item, who, label);
-- expect
-- 9223372036854775800 | BIGINT | 9 | INTEGER
-- 9223372036854775801 | BIGINT | 9 | INTEGER
-- 9223372036854775802 | BIGINT | 9 | INTEGER

-- case: items that are UUID, labels that are BOOLEAN
CREATE TABLE v AS SELECT '00000000-0000-0000-0000-00000000000a'::UUID AS item, i AS who,
    i > 0 AS label FROM range(3) r(i);
SELECT item, typeof(item), consensus_label, typeof(consensus_label) FROM consensus(v, item, who, label);
-- expect
-- 00000000-0000-0000-0000-00000000000a | UUID | true | BOOLEAN

-- case: items that are DATE, labels of an ENUM
CREATE TABLE v AS SELECT DATE '2026-02-28' + (i // 2)::INTEGER AS item, i % 2 AS who,
    'low'::ENUM ('low', 'high') AS label FROM range(4) r(i);
SELECT item, typeof(item), consensus_label, typeof(consensus_label) FROM consensus(v, item, who, label);
-- expect
-- 2026-02-28 | DATE | low | ENUM('low', 'high')
-- 2026-03-01 | DATE | low | ENUM('low', 'high')

-- case: items that are lists, doubles and timestamps come back as they were
CREATE TABLE v AS SELECT [0.1 + 0.2::DOUBLE, 1e-300] AS item, i AS who, TIMESTAMP '2026-01-01 00:00:00.000001' AS label
FROM range(2) r(i);
SELECT bool_and(c.item = v.item), bool_and(c.consensus_label = v.label)
FROM consensus(v, item, who, label) AS c, v;
-- expect
-- true | true

-- case: quotes, line feeds and the empty text in items and labels
CREATE TABLE v AS SELECT unnest(['it''s "a"', E'b\n', '']) AS item, 'ann' AS who, E'y "\n' AS label;
FROM consensus(v, item, who, label) SELECT item, consensus_label, annotators;
-- expect
-- it's "a" | y "\n | 1
-- b\n | y "\n | 1
-- | y "\n | 1

-- case: an item without a label has no consensus and says so
CREATE TABLE v (item INTEGER, who VARCHAR, label VARCHAR);
INSERT INTO v VALUES (1, 'ann', 'x'), (2, NULL, NULL), (3, 'ann', NULL), (4, NULL, 'x'),
    (NULL, 'ann', 'x'), (5, 'bob', 'y');
FROM consensus(v, item, who, label);
-- expect
-- 1 | x | 0.75 | 1.0 | 1 | NULL
-- 2 | NULL | NULL | NULL | 0 | no annotator labelled it
-- 3 | NULL | NULL | NULL | 0 | no annotator labelled it
-- 4 | NULL | NULL | NULL | 0 | no annotator labelled it
-- 5 | y | 0.75 | 1.0 | 1 | NULL

-- case: one class only
CREATE TABLE v AS SELECT i // 2 AS item, i % 2 AS who, 'x' AS label FROM range(4) r(i);
SELECT item, consensus_label, consensus_quality FROM consensus(v, item, who, label);
-- expect
-- 0 | x | 1.0
-- 1 | x | 1.0

-- case: one class only, with a model
CREATE TABLE v AS SELECT i // 2 AS item, i % 2 AS who, 'x' AS label, 'text ' || i // 2 AS text FROM range(4) r(i);
SELECT item, consensus_label, consensus_quality FROM consensus(v, item, who, label, x := text);
-- expect
-- 0 | x | 1.0
-- 1 | x | 1.0

-- case: own probabilities break a tie, and name classes that nobody gave
CREATE TABLE v AS SELECT item, who, label, MAP {'p': 0.2, 'q': 0.7, 'z': 0.1} AS probs
FROM (VALUES (1, 'ann', 'p'), (1, 'bob', 'q'), (2, 'ann', 'p'), (2, 'bob', 'p')) t(item, who, label);
SELECT item, consensus_label FROM consensus(v, item, who, label, x := probs);
-- expect
-- 1 | q
-- 2 | p

-- case: the same vote twice counts once
CREATE TABLE v (item INTEGER, who VARCHAR, label VARCHAR);
INSERT INTO v VALUES (1, 'ann', 'x'), (1, 'ann', 'x'), (1, 'bob', 'y'), (1, 'cay', 'y');
SELECT consensus_label, annotators FROM consensus(v, item, who, label, method := 'majority');
-- expect
-- y | 3

-- case: an annotator who gave one item two labels
CREATE TABLE v (item INTEGER, who VARCHAR, label VARCHAR);
INSERT INTO v VALUES (1, 'ann', 'x'), (1, 'ann', 'y'), (1, 'bob', 'y'), (2, 'bob', 'x'), (2, 'bob', 'y');
FROM consensus(v, item, who, label);
-- error: an annotator gave one item different labels (item 1, annotator ann: 'x' and 'y'; item 2, annotator bob: 'x' and 'y')
-- error: arg_max(label, labelled_at)

-- case: rows of one item with different texts
CREATE TABLE v (item INTEGER, who VARCHAR, label VARCHAR, text VARCHAR);
INSERT INTO v VALUES (1, 'ann', 'x', 'one'), (1, 'bob', 'y', 'two'), (2, 'bob', 'x', 'three');
FROM consensus(v, item, who, label, x := text);
-- error: x differs between the rows of one item (1)

-- case: an empty table
CREATE TABLE v (item INTEGER, who VARCHAR, label VARCHAR);
FROM consensus(v, item, who, label);
-- error: the table has no rows

-- case: no labels
CREATE TABLE v AS SELECT 1 AS item, 'ann' AS who, NULL::VARCHAR AS label;
FROM consensus(v, item, who, label);
-- error: no item has a label

-- case: an unknown method
CREATE TABLE v AS SELECT 1 AS item, 'ann' AS who, 'x' AS label;
FROM consensus(v, item, who, label, method := 'vote');
-- error: method := 'vote' is not known. It may be 'auto', 'majority', 'dawid_skene', 'crowdlab'

-- case: CROWDLAB without x
CREATE TABLE v AS SELECT 1 AS item, 'ann' AS who, 'x' AS label;
FROM consensus(v, item, who, label, method := 'crowdlab');
-- error: needs x, from which a model learns: x := text

-- case: a column in quotes
CREATE TABLE v AS SELECT 1 AS item, 'ann' AS who, 'x' AS label;
FROM consensus(v, 'item', who, label);
-- error: 'item' is a constant text, not a column

-- case: every text is empty
CREATE TABLE v AS SELECT 1 AS item, 'ann' AS who, 'x' AS label, ' ' AS text;
FROM consensus(v, item, who, label, x := text);
-- error: no item has an x that can be used: the text is empty (1 row)

-- case: columns of the table called like options and parameters
CREATE TABLE v AS SELECT i // 3 AS item, i % 3 AS annotator, 'x' AS label, 'a' AS x, 1 AS method, 2 AS folds, 3 AS tbl
FROM range(6) r(i);
SELECT item, consensus_label FROM consensus(v, item, annotator, label);
-- expect
-- 0 | x
-- 1 | x
