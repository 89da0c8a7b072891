-- case: every pair, and missing predictions
CREATE TABLE t AS FROM (VALUES ('it''s', 'it''s'), (E'🎈\n', 'it''s'), ('it''s', NULL)) v(actual, said);
FROM confusion_matrix(t, actual, said);
-- expect
-- it's | it's | 1
-- it's | 🎈\n | 0
-- it's | NULL | 1
-- 🎈\n | it's | 1
-- 🎈\n | 🎈\n | 0
-- 🎈\n | NULL | 0

-- case: a row a tag
CREATE TABLE t AS FROM (VALUES (['it''s', 'b'], ['b', '🎈']), (['b'], NULL), ([], ['b']), (NULL, ['b'])) v(actual, said);
FROM confusion_matrix(t, actual, said);
-- expect
-- b | 1 | 1 | 1 | 0 | 3
-- it's | 0 | 0 | 1 | 2 | 3
-- 🎈 | 0 | 1 | 0 | 2 | 3

-- case: numbers have no classes
CREATE TABLE t AS SELECT i / 7 AS actual, i / 8 AS said FROM range(300) r(i);
FROM confusion_matrix(t, actual, said);
-- error: labels of this kind (regression) have none. evaluate takes them.

-- case: tags beside classes
CREATE TABLE t AS SELECT ['a'] AS actual, 'a' AS said FROM range(9) r(i);
FROM confusion_matrix(t, actual, said);
-- error: predicted does not: name a column of lists
