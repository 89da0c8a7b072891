-- case: a class never predicted and one never true
CREATE TABLE t AS FROM (VALUES ('a', 'a'), ('b', 'a'), ('a', 'c'), (NULL, 'd')) v(actual, said);
FROM class_report(t, actual, said);
-- expect
-- a | 0.5 | 0.5 | 0.5 | 2
-- b | 0.0 | 0.0 | 0.0 | 1
-- c | 0.0 | 0.0 | 0.0 | 0

-- case: numbers stand in the order of numbers
CREATE TABLE t AS FROM (VALUES (10), (9), (100)) v(actual);
SELECT class, support FROM class_report(t, actual, actual);
-- expect
-- 9 | 1
-- 10 | 1
-- 100 | 1
