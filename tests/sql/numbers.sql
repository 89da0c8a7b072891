-- Labels that are numbers, from the wrong ones to the corrected table. How a case is written: tests/test_sql_cases.py.

-- case: found, reviewed, corrected and evaluated
CREATE TABLE parcels AS
SELECT id, kg, 4 + 1.5 * kg + (hash(id) % 100) / 100 AS true_price,
    if(id % 10 = 0, true_price * if(id % 20 = 0, 10, 0.1), true_price) AS price
FROM (SELECT i AS id, 1 + (i * 7 + i // 10) % 20 AS kg FROM range(400) r(i));
CREATE TABLE issues AS FROM label_issues(parcels, {kg: kg, again: kg + 1}, price);
CREATE TABLE log AS
SELECT id AS key, if(price = true_price, 'keep', 'relabel') AS action, price AS old_label,
    true_price AS new_label, 'ann' AS decided_by, NULL::VARCHAR AS reason, TIMESTAMP '2026-01-01' AS decided_at
FROM review_queue(parcels, {kg: kg, again: kg + 1}, price, id, purpose := 'verify', budget := 25);
CREATE TABLE decisions AS FROM auto_corrections(issues, id, price, log := log);
CREATE TABLE mended AS FROM apply_corrections(parcels, decisions, id, price);
SELECT (SELECT count(*) FILTER (price <> true_price) / count(*) > 0.9 FROM issues WHERE is_label_issue) AS precise,
    (SELECT count(*) > 8 FROM decisions) AS released,
    (SELECT mae FROM evaluate(mended, true_price, price))
        < 0.8 * (SELECT mae FROM evaluate(parcels, true_price, price)) AS better;
-- expect
-- true | true | true

-- case: trained, asked and evaluated
CREATE TABLE parcels AS
SELECT id, [kg, km]::FLOAT[] AS x, round(4 + 1.5 * kg + km / 50, 2)::DECIMAL(9, 2) AS price
FROM (SELECT i AS id, 1 + (i * 7 + i // 10) % 20 AS kg, (i * 37) % 900 AS km FROM range(400) r(i));
CREATE TABLE train AS FROM parcels WHERE id < 300;
FROM fine_tune('prices', train, x, price);
CREATE TABLE said AS SELECT price, llm_classify(x, model := 'prices') AS said FROM parcels WHERE id >= 300;
SELECT n, mae < 1 AS near, r2 > 0.95 AS good FROM evaluate(said, price, said);
-- expect
-- 100 | true | true

-- case: own predictions
CREATE TABLE t AS SELECT i AS id, i / 3 AS y, i / 3 + (i % 7) / 10 + if(i = 5, 90, 0) AS said FROM range(90) r(i);
SELECT id, predicted_label = said, label_quality < 0.01 FROM label_issues(t, said, y) WHERE is_label_issue;
-- expect
-- 5 | true | true

-- case: whole numbers, where the task says so
CREATE TABLE t AS SELECT i AS id, i AS y, i::DOUBLE + if(i = 5, 900, i % 3) AS said FROM range(90) r(i);
SELECT id, typeof(suggested_label), suggested_label FROM label_issues(t, said, y, task := 'regression')
WHERE is_label_issue;
-- expect
-- 5 | BIGINT | 905

-- case: a column that is already called label_low
CREATE TABLE t AS SELECT i AS id, i / 3 AS y, i / 3 AS said, 0 AS label_low FROM range(90) r(i);
FROM label_issues(t, said, y);
-- error: the table already has the column "label_low", which label_issues adds

-- case: errors of predictions
CREATE TABLE t AS SELECT i / 7 AS actual, i / 7 + if(i % 2 = 0, 1, -1) AS said FROM range(100) r(i);
SELECT n, accuracy, round(mae, 6), round(rmse, 6), r2 > 0.9 FROM evaluate(t, actual, said);
-- expect
-- 100 | NULL | 1.0 | 1.0 | true

-- case: predictions of which some are missing
CREATE TABLE t AS SELECT i / 7 AS actual, if(i % 2 = 0, i / 7 + 1, NULL) AS said FROM range(100) r(i);
SELECT n, round(mae, 6) FROM evaluate(t, actual, said);
-- expect
-- 50 | 1.0

-- case: no prediction at all
CREATE TABLE t AS SELECT i / 7 AS actual, NULL::DOUBLE AS said FROM range(100) r(i);
FROM evaluate(t, actual, said);
-- error: predicted holds no number where actual does

-- case: an empty table of numbers
CREATE TABLE t (y DOUBLE, said DOUBLE);
FROM label_issues(t, said, y);
-- error: the table has no rows
