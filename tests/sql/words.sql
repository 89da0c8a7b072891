-- Labels of words, from the wrong ones to the corrected table. How a case is written: tests/test_sql_cases.py.

-- case: found, reviewed, corrected and evaluated
CREATE TABLE said AS
SELECT id, [who, verb, place, ending] AS words, ['B-PER', 'O', 'B-LOC', 'O'] AS true_labels,
    CASE WHEN id % 20 = 0 THEN ['O', 'O', 'B-LOC', 'O'] WHEN id % 20 = 10 THEN ['B-PER', 'O', 'O', 'O'] ELSE true_labels END AS labels
FROM (SELECT i AS id, ['Anna', 'Bob', 'Carla'][1 + i % 3] AS who, ['saw', 'left'][1 + i % 2] AS verb,
    ['Rome', 'Oslo', 'Paris'][(1 + hash(i) % 3)::BIGINT] AS place, ['today', 'again', 'late', 'early'][(1 + hash(-i) % 4)::BIGINT] AS ending
    FROM range(600) r(i));
CREATE TABLE issues AS FROM label_issues(said, words, labels);
CREATE TABLE log AS
SELECT id AS key, if(labels = true_labels, 'keep', 'relabel') AS action, labels AS old_label,
    true_labels AS new_label, 'ann' AS decided_by, NULL::VARCHAR AS reason, TIMESTAMP '2026-01-01' AS decided_at
FROM review_queue(said, words, labels, id, purpose := 'verify', budget := 16);
CREATE TABLE decisions AS FROM auto_corrections(issues, id, labels, log := log);
CREATE TABLE mended AS FROM apply_corrections(said, decisions, id, labels);
SELECT (SELECT count(*) FILTER (labels <> true_labels) / count(*) > 0.9 FROM issues WHERE is_label_issue) AS precise,
    (SELECT count(*) FROM issues WHERE word_issues[1].position IN (1, 3) AND word_issues[1].given = 'O') > 20 AS found,
    (SELECT count(*) > 10 FROM decisions) AS released,
    (SELECT f1 FROM evaluate(mended, true_labels, labels, task := 'token_classification'))
        > (SELECT f1 FROM evaluate(said, true_labels, labels, task := 'token_classification')) AS better;
-- expect
-- true | true | true | true

-- case: trained, asked and evaluated
CREATE TABLE told AS
SELECT id, [who, verb, 'New', place, ending] AS words, ['B-PER', 'O', 'B-LOC', 'I-LOC', 'O'] AS labels
FROM (SELECT i AS id, ['Anna', 'Bob', 'Carla'][1 + i % 3] AS who, ['saw', 'left'][1 + i % 2] AS verb,
    ['York', 'Delhi'][(1 + hash(i) % 2)::BIGINT] AS place, ['today', 'again', 'late', 'early'][(1 + hash(-i) % 4)::BIGINT] AS ending
    FROM range(300) r(i));
CREATE TABLE train AS FROM told WHERE id < 200;
FROM fine_tune('names in sentences', train, words, labels);
CREATE TABLE said AS
SELECT id, words, labels, llm_classify(words, model := 'names in sentences') AS said,
    llm_class_probs(words, model := 'names in sentences') AS probs FROM told WHERE id >= 200;
SELECT n, f1 > 0.95 AS good, word_accuracy > 0.95 AS most,
    (SELECT count(*) FROM label_issues(said, probs, labels) WHERE is_label_issue) < 5 AS agrees
FROM evaluate(said, labels, said, task := 'token_classification');
-- expect
-- 100 | true | true | true

-- case: own predictions
CREATE TABLE t AS SELECT i AS id, if(i = 5, ['O', 'O'], ['B-A', 'O']) AS label,
    [MAP {'B-A': 0.97, 'O': 0.03}, MAP {'B-A': 0.02, 'O': 0.98}] AS probs FROM range(200) r(i);
SELECT id, suggested_label, word_issues[1].position, word_issues[1].given, word_issues[1].suggested, len(word_issues)
FROM label_issues(t, probs, label) WHERE is_label_issue;
-- expect
-- 5 | [B-A, O] | 1 | O | B-A | 1

-- case: entities
CREATE TABLE t AS FROM (VALUES
    (['B-PER', 'I-PER', 'O', 'B-LOC'], ['B-PER', 'O', 'O', 'B-LOC']), (['O', 'B-LOC'], NULL), (NULL, ['O'])
) v(actual, said);
SELECT n, correct, entities, precision, round(recall, 3) AS recall, f1, word_accuracy
FROM evaluate(t, actual, said, task := 'token_classification');
-- expect
-- 2 | 0 | 3 | 0.5 | 0.333 | 0.4 | 0.5

-- case: a row a type of entity
CREATE TABLE t AS SELECT ['PER', 'PER', 'O', 'LOC'] AS actual, ['PER', 'PER', 'O', 'PER'] AS said;
SELECT "class", precision, recall, support FROM class_report(t, actual, said, task := 'token_classification');
-- expect
-- LOC | 0.0 | 0.0 | 1
-- PER | 0.5 | 1.0 | 1

-- case: lists of another length
CREATE TABLE t AS SELECT ['O', 'O'] AS actual, ['O'] AS said;
FROM evaluate(t, actual, said, task := 'token_classification');
-- error: not one label for each word

-- case: no rows, where the task says what labels would be
CREATE TABLE t (words VARCHAR[], label VARCHAR[]);
FROM label_issues(t, words, label, task := 'token_classification');
-- error: the table has no rows
