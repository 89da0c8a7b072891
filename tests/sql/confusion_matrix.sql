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
