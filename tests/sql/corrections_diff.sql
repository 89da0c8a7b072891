-- case: a row per change, in the order of the keys
CREATE TABLE t AS FROM (VALUES (10, 'a'), (9, 'a'), (1, 'a')) v(id, label);
CREATE TABLE log AS FROM (VALUES
    ('10', 'relabel', 'a', 'b', 'ann', TIMESTAMP '2026-01-01'),
    ('9', 'exclude', 'a', NULL, 'bob', TIMESTAMP '2026-01-01'),
    ('1', 'keep', 'a', NULL, 'bob', TIMESTAMP '2026-01-01')
) v(key, action, old_label, new_label, decided_by, decided_at);
FROM corrections_diff(t, log, id, label);
-- expect
-- 9 | a | NULL | exclude | bob
-- 10 | a | b | relabel | ann

-- case: conflicting decisions of one moment
CREATE TABLE t AS FROM (VALUES (10, 'a'), (9, 'a')) v(id, label);
CREATE TABLE log AS FROM (VALUES
    ('10', 'relabel', 'a', 'b', 'ann', TIMESTAMP '2026-01-01'),
    ('10', 'exclude', 'a', NULL, 'bob', TIMESTAMP '2026-01-01')
) v(key, action, old_label, new_label, decided_by, decided_at);
FROM corrections_diff(t, log, id, label);
-- error: several decisions of the same moment that differ: 10
