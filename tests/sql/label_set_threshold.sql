-- case: nine reviewed rows are the fewest for nine of ten
CREATE TABLE issues AS SELECT i AS id, 'a' AS label, MAP {'a': 0.9, 'b': 0.1} AS class_probs FROM range(9) r(i);
CREATE TABLE log AS SELECT id AS key, 'keep' AS action, 'a' AS old_label, NULL AS new_label,
    'ann' AS decided_by, now() AS decided_at FROM issues;
SELECT coverage, reviewed, threshold FROM label_set_threshold(issues, log, id, label);
-- expect
-- 0.9 | 9 | 0.0

-- case: a share that is none
CREATE TABLE issues AS SELECT 1 AS id, 'a' AS label, MAP {'a': 0.9, 'b': 0.1} AS class_probs;
CREATE TABLE log AS SELECT 1 AS key, 'keep' AS action, 'a' AS old_label, NULL AS new_label,
    'ann' AS decided_by, now() AS decided_at;
FROM label_set_threshold(issues, log, id, label, coverage := 2);
-- error: has to lie between 0 and 1
