-- case: the most doubtful first, with your own probabilities
CREATE TABLE t AS SELECT i AS id, if(i < 6, 'a', 'b') AS label,
    MAP {'a': i / 10, 'b': 1 - i / 10} AS probs FROM range(10) r(i);
SELECT id, review_rank, label FROM review_queue(t, probs, label, id, budget := 2);
-- expect
-- 0 | 1 | a
-- 9 | 2 | b

-- case: decided rows leave
CREATE TABLE t AS SELECT i AS id, if(i < 6, 'a', 'b') AS label,
    MAP {'a': i / 10, 'b': 1 - i / 10} AS probs FROM range(10) r(i);
CREATE TABLE log AS SELECT 0 AS key, 'keep' AS action, 'a' AS old_label, NULL AS new_label,
    'ann' AS decided_by, now() AS decided_at;
SELECT id FROM review_queue(t, probs, label, id, budget := 1, log := log);
-- expect
-- 9

-- case: a duplicate key without a log
CREATE TABLE t AS FROM (VALUES (1, 'a', [0.0, 1]), (1, 'b', [1, 0])) v(id, label, x);
FROM review_queue(t, x, label, id);
-- error: more than once: 1 (2 rows)

-- case: a budget of nothing
CREATE TABLE t AS FROM (VALUES (1, 'a', [0.0, 1]), (2, 'b', [1, 0])) v(id, label, x);
FROM review_queue(t, x, label, id, budget := 0);
-- error: budget := 0 is too few

-- case: a table that has a rank already
CREATE TABLE t AS SELECT i AS id, i + 500 AS review_rank, if(i < 6, 'a', 'b') AS label,
    MAP {'a': i / 10, 'b': 1 - i / 10} AS probs FROM range(10) r(i);
FROM review_queue(t, probs, label, id, budget := 2);
-- error: the table already has the column
-- error: review_rank
-- error: which review_queue adds

-- case: labels that are called like the rank
CREATE TABLE t AS SELECT i AS id, if(i < 6, 'a', 'b') AS review_rank,
    MAP {'a': i / 10, 'b': 1 - i / 10} AS probs FROM range(10) r(i);
FROM review_queue(t, probs, review_rank, id, budget := 2);
-- error: the table already has the column
-- error: review_rank
-- error: which review_queue adds
