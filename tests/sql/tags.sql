-- Labels that are tags, from the wrong ones to the corrected table. How a case is written: tests/test_sql_cases.py.

-- case: found, reviewed, corrected and evaluated
CREATE TABLE items AS
SELECT id, [a, b, c]::FLOAT[] AS x,
    list_filter(['a', 'b', 'c'], lambda t: (t = 'a' AND a > 0) OR (t = 'b' AND b > 0) OR (t = 'c' AND c > 0)) AS true_tags,
    CASE WHEN id % 5 = 0 THEN true_tags[2:] WHEN id % 7 = 0 THEN list_sort(list_distinct(true_tags || ['c'])) ELSE true_tags END AS tags
FROM (SELECT i AS id, sin(i) AS a, sin(i * 1.7 + 1) AS b, sin(i * 2.3 + 2) AS c FROM range(600) r(i));
CREATE TABLE issues AS FROM label_issues(items, x, tags);
CREATE TABLE log AS
SELECT id AS key, if(tags = true_tags, 'keep', 'relabel') AS action, tags AS old_label,
    true_tags AS new_label, 'ann' AS decided_by, NULL::VARCHAR AS reason, TIMESTAMP '2026-01-01' AS decided_at
FROM review_queue(items, x, tags, id, purpose := 'verify', budget := 40);
CREATE TABLE decisions AS FROM auto_corrections(issues, id, tags, log := log);
CREATE TABLE mended AS FROM apply_corrections(items, decisions, id, tags);
SELECT (SELECT count(*) FILTER (tags <> true_tags) / count(*) > 0.8 FROM issues WHERE is_label_issue) AS precise,
    (SELECT count(*) > 10 FROM decisions) AS released,
    (SELECT accuracy FROM evaluate(mended, true_tags, tags)) > (SELECT accuracy FROM evaluate(items, true_tags, tags)) AS better;
-- expect
-- true | true | true

-- case: trained, asked and evaluated
CREATE TABLE items AS
SELECT id, [a, b, c]::FLOAT[] AS x,
    list_filter(['a', 'b', 'c'], lambda t: (t = 'a' AND a > 0) OR (t = 'b' AND b > 0) OR (t = 'c' AND c > 0)) AS tags
FROM (SELECT i AS id, sin(i) AS a, sin(i * 1.7 + 1) AS b, sin(i * 2.3 + 2) AS c FROM range(600) r(i));
CREATE TABLE train AS FROM items WHERE id < 400;
FROM fine_tune('tags of points', train, x, tags);
CREATE TABLE said AS
SELECT tags, llm_classify(x, model := 'tags of points', multi := true) AS said FROM items WHERE id >= 400;
SELECT n, micro_f1 > 0.9 AS good FROM evaluate(said, tags, said);
-- expect
-- 200 | true

-- case: own probabilities
CREATE TABLE t AS SELECT i AS id, if(i = 5, ['a'], if(i % 2 = 0, ['a', 'b'], ['b'])) AS tags,
    MAP {'a': if(i % 2 = 0, 0.95, 0.005), 'b': 0.97} AS probs FROM range(200) r(i);
SELECT id, suggested_label, missing_tags, wrong_tags FROM label_issues(t, probs, tags) WHERE is_label_issue;
-- expect
-- 5 | [] | [] | [a]

-- case: a row a tag
CREATE TABLE t AS FROM (VALUES (['a', 'b'], ['b', 'a']), (['a'], ['b']), (NULL, ['a'])) v(actual, said);
SELECT "class", "precision", recall, support FROM class_report(t, actual, said);
-- expect
-- a | 1.0 | 0.5 | 2
-- b | 0.5 | 1.0 | 1

-- case: no tag anywhere
CREATE TABLE t AS SELECT i AS id, [i, 1]::FLOAT[] AS x, []::VARCHAR[] AS tags FROM range(9) r(i);
FROM label_issues(t, x, tags);
-- error: no row has a tag in label

-- case: predictions that are no lists
CREATE TABLE t AS SELECT ['a'] AS actual, 'a' AS said FROM range(9) r(i);
FROM evaluate(t, actual, said);
-- error: predicted does not: name a column of lists

-- case: no rows to evaluate, where the task says what labels would be
CREATE TABLE t (actual VARCHAR[], said VARCHAR[]);
FROM evaluate(t, actual, said, task := 'multilabel');
-- error: the table has no rows
