-- case: relabel, keep, exclude and needs_review
CREATE TABLE t AS FROM (VALUES (1, 'a'), (2, 'a'), (3, 'a'), (4, 'a'), (5, NULL)) v(id, label);
CREATE TABLE log AS FROM (VALUES
    (1, 'relabel', 'a', 'b', 'ann', NULL, TIMESTAMP '2026-01-01'),
    (2, 'keep', 'a', NULL, 'ann', NULL, TIMESTAMP '2026-01-01'),
    (3, 'exclude', 'a', NULL, 'ann', NULL, TIMESTAMP '2026-01-01'),
    (4, 'needs_review', 'a', NULL, 'ann', NULL, TIMESTAMP '2026-01-01')
) v(key, action, old_label, new_label, decided_by, reason, decided_at);
FROM apply_corrections(t, log, id, label);
-- expect
-- 1 | b
-- 2 | a
-- 4 | a
-- 5 | NULL

-- case: keys with quotes, emoji and line feeds
CREATE TABLE t AS FROM (VALUES (E'it''s "1"\n🎈', 'a')) v(id, label);
CREATE TABLE log AS SELECT id AS key, 'relabel' AS action, 'a' AS old_label, E'new\n"🎈"' AS new_label,
    'ann' AS decided_by, now() AS decided_at FROM t;
FROM apply_corrections(t, log, id, label);
-- expect
-- it's "1"\n🎈 | new\n"🎈"

-- case: back in time
CREATE TABLE t AS SELECT 1 AS id, 'a' AS label;
CREATE TABLE log AS FROM (VALUES
    ('1', 'relabel', 'a', 'b', 'ann', TIMESTAMP '2026-01-01'),
    ('1', 'relabel', 'a', 'c', 'bob', TIMESTAMP '2026-02-01')
) v(key, action, old_label, new_label, decided_by, decided_at);
SELECT (SELECT label FROM apply_corrections(t, log, id, label)),
    (SELECT label FROM apply_corrections(t, log, id, label, as_of := '2026-01-15')),
    (SELECT label FROM apply_corrections(t, log, id, label, as_of := DATE '2025-01-15'));
-- expect
-- c | b | a

-- case: a stale decision
CREATE TABLE t AS SELECT 1 AS id, 'a' AS label;
CREATE TABLE log AS SELECT 1 AS key, 'relabel' AS action, 'x' AS old_label, 'b' AS new_label,
    'ann' AS decided_by, now() AS decided_at;
FROM apply_corrections(t, log, id, label);
-- error: nothing was applied
-- error: old_label is no longer the label: 1 (old_label x, now a)

-- case: keys that are not in the table
CREATE TABLE t AS SELECT 1 AS id, 'a' AS label;
CREATE TABLE log AS SELECT i AS key, 'keep' AS action, 'a' AS old_label, NULL AS new_label,
    'ann' AS decided_by, now() AS decided_at FROM range(3) r(i);
FROM apply_corrections(t, log, id, label);
-- error: decisions about keys that are not in the table: 0, 2

-- case: a duplicate key
CREATE TABLE t AS FROM (VALUES (1, 'a'), (1, 'a')) v(id, label);
CREATE TABLE log (key VARCHAR, action VARCHAR, old_label VARCHAR, new_label VARCHAR,
    decided_by VARCHAR, decided_at TIMESTAMP);
FROM apply_corrections(t, log, id, label);
-- error: more than once: 1 (2 rows)

-- case: the label as an expression
CREATE TABLE t AS SELECT 1 AS id, 'a' AS label;
CREATE TABLE log (key VARCHAR, action VARCHAR, old_label VARCHAR, new_label VARCHAR,
    decided_by VARCHAR, decided_at TIMESTAMP);
FROM apply_corrections(t, log, id, lower(label));
-- error: label has to be a column of the table, written bare

-- case: the label in quotes
CREATE TABLE t AS SELECT 1 AS id, 'a' AS label;
CREATE TABLE log (key VARCHAR, action VARCHAR, old_label VARCHAR, new_label VARCHAR,
    decided_by VARCHAR, decided_at TIMESTAMP);
FROM apply_corrections(t, log, id, 'label');
-- error: label has to be a column of the table, written bare

-- case: an unknown column
CREATE TABLE t AS SELECT 1 AS id, 'a' AS label;
CREATE TABLE log (key VARCHAR, action VARCHAR, old_label VARCHAR, new_label VARCHAR,
    decided_by VARCHAR, decided_at TIMESTAMP);
FROM apply_corrections(t, log, no, label);
-- error: Referenced column "no" not found

-- case: an unknown table
CREATE TABLE t AS SELECT 1 AS id, 'a' AS label;
FROM apply_corrections(t, nosuch, id, label);
-- error: Table with name nosuch does not exist

-- case: a log without a column it needs
CREATE TABLE t AS SELECT 1 AS id, 'a' AS label;
FROM apply_corrections(t, t, id, label);
-- error: the decision log has no column decided_at

-- case: an empty table and an empty log
CREATE TABLE t (id INTEGER, label VARCHAR);
CREATE TABLE log (key VARCHAR, action VARCHAR, old_label VARCHAR, new_label VARCHAR,
    decided_by VARCHAR, decided_at TIMESTAMP);
FROM apply_corrections(t, log, id, label);
-- expect

-- case: a number that is none
CREATE TABLE t AS SELECT i AS id, i / 7 AS label FROM range(4) r(i);
CREATE TABLE log AS SELECT i AS key, 'relabel' AS action, i / 7 AS old_label,
    CASE i WHEN 0 THEN 'nan' WHEN 1 THEN '-inf' ELSE '5' END AS new_label, 'ann' AS decided_by, now() AS decided_at
FROM range(3) r(i);
FROM apply_corrections(t, log, id, label);
-- error: decisions whose new_label is NaN or infinite, which no label is: 0 (nan), 1 (-inf)

-- case: a class that is called nan
CREATE TABLE t AS SELECT 1 AS id, 'a' AS label;
CREATE TABLE log AS SELECT 1 AS key, 'relabel' AS action, 'a' AS old_label, 'nan' AS new_label, 'ann' AS decided_by,
    now() AS decided_at;
FROM apply_corrections(t, log, id, label);
-- expect
-- 1 | nan

-- case: a new label that is blank
CREATE TABLE t AS SELECT i AS id, 'a' AS label FROM range(3) r(i);
CREATE TABLE log AS SELECT i AS key, 'relabel' AS action, 'a' AS old_label, ['', ' ', E'\t'][i + 1] AS new_label,
    'ann' AS decided_by, now() AS decided_at FROM range(3) r(i);
FROM apply_corrections(t, log, id, label);
-- error: decisions whose new_label is blank, which no label is: 0 (''), 1 (' '), 2 ('

-- case: a number that is none, where labels are text
CREATE TABLE t AS SELECT 1 AS id, 'a' AS label;
CREATE TABLE log AS SELECT 1 AS key, 'relabel' AS action, 'a' AS old_label, 'nan'::DOUBLE AS new_label,
    'ann' AS decided_by, now() AS decided_at;
FROM apply_corrections(t, log, id, label);
-- error: decisions whose new_label is NaN or infinite, which no label is: 1 (nan)

-- case: tags for a table of classes
CREATE TABLE t AS SELECT 1 AS id, 'a' AS label;
CREATE TABLE log AS SELECT 1 AS key, 'relabel' AS action, 'a' AS old_label, ['b'] AS new_label,
    'ann' AS decided_by, now() AS decided_at;
FROM apply_corrections(t, log, id, label);
-- error: decisions whose new_label has several values, which no label of type VARCHAR has.
-- error: new_label[1] or new_label.field: 1 ([b])

-- case: a class for a table of tags
CREATE TABLE t AS SELECT 1 AS id, ['a'] AS label;
CREATE TABLE log AS SELECT 1 AS key, 'relabel' AS action, '[a]' AS old_label, 'b, c' AS new_label,
    'ann' AS decided_by, now() AS decided_at;
FROM apply_corrections(t, log, id, label);
-- error: no value of the label's type, VARCHAR[], of which [first, second] is one: 1 (b, c)

-- case: a class for a table of numbers
CREATE TABLE t AS SELECT 1 AS id, 1.5::DECIMAL(5, 2) AS label;
CREATE TABLE log AS SELECT 1 AS key, 'relabel' AS action, '1.5' AS old_label, 'late' AS new_label,
    'ann' AS decided_by, now() AS decided_at;
FROM apply_corrections(t, log, id, label);
-- error: decisions whose new_label is no value of the label's type, DECIMAL(5,2): 1 (late)
