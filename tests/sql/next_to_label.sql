-- Cases of next_to_label. How a case is written: tests/test_sql_cases.py.

-- case: an item without a label first, then the doubtful one
CREATE TABLE v AS SELECT * FROM (VALUES
    ('sure', 'ann', 'x', MAP {'x': 0.9, 'y': 0.1}), ('sure', 'bob', 'x', MAP {'x': 0.9, 'y': 0.1}),
    ('odd', 'ann', 'x', MAP {'x': 0.6, 'y': 0.4}), ('odd', 'bob', 'y', MAP {'x': 0.6, 'y': 0.4}),
    ('new', NULL, NULL, MAP {'x': 0.5, 'y': 0.5}), ('more', 'bob', 'y', MAP {'x': 0.3, 'y': 0.7})
) t(item, who, label, probs);
SELECT item, "rank", active_learning_score BETWEEN 0 AND 1, annotators
FROM next_to_label(v, item, who, label, probs);
-- expect
-- new | 1 | true | 0
-- odd | 2 | true | 2
-- more | 3 | true | 1
-- sure | 4 | true | 2

-- case: the budget, and items that score alike in their order
CREATE TABLE v AS SELECT DATE '2026-01-09' - i::INTEGER AS item, 1 AS who, if(i < 2, 'x', 'y') AS label,
    MAP {'x': 0.5, 'y': 0.5} AS probs FROM range(5) r(i);
SELECT item, "rank", typeof(item) FROM next_to_label(v, item, who, label, probs, budget := 2);
-- expect
-- 2026-01-05 | 1 | DATE
-- 2026-01-06 | 2 | DATE

-- case: a budget of nothing
CREATE TABLE v AS SELECT 1 AS item, 1 AS who, 'x' AS label, 'text' AS text;
FROM next_to_label(v, item, who, label, text, budget := 0);
-- error: budget := 0 is too few

-- case: no x
CREATE TABLE v AS SELECT 1 AS item, 1 AS who, 'x' AS label;
FROM next_to_label(v, item, who, label, NULL);
-- error: no item has an x that can be used: x is NULL (1 row)
