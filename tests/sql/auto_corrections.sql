-- case: from probabilities to proposals to a corrected table
CREATE TABLE t AS SELECT i AS id, if(i % 2 = 0 OR i = 3, 'a', 'b') AS label,
    if(i % 2 = 0, MAP {'a': 0.98, 'b': 0.02}, MAP {'a': 0.02, 'b': 0.98}) AS probs
FROM range(20) r(i);
CREATE TABLE issues AS FROM label_issues(t, probs, label);
CREATE TABLE log AS FROM auto_corrections(issues, id, label);
SELECT l.* EXCLUDE (decided_at), fixed.label
FROM log l JOIN apply_corrections(t, log, id, label) fixed ON fixed.id = l.key;
-- expect
-- 3 | relabel | a | b | auto_corrections | b has probability 0.980, the given a 0.020 | b

-- case: an action it does not have
CREATE TABLE t AS SELECT i AS id, if(i % 2 = 0, 'a', 'b') AS label,
    if(i % 2 = 0, MAP {'a': 0.9, 'b': 0.1}, MAP {'a': 0.1, 'b': 0.9}) AS probs
FROM range(20) r(i);
CREATE TABLE issues AS FROM label_issues(t, probs, label);
FROM auto_corrections(issues, id, label, action := 'delete');
-- error: action := 'delete' is not known. It may be 'relabel', 'exclude'

-- case: a table that label_issues did not give
CREATE TABLE t AS SELECT 1 AS id, 'a' AS label;
FROM auto_corrections(t, id, label);
-- error: class_probs
