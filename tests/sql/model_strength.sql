-- case: a model that agrees with the labels
CREATE TABLE t AS SELECT i AS id, if(i % 2 = 0 OR i = 3, 'a', 'b') AS label,
    if(i % 2 = 0, MAP {'a': 0.9, 'b': 0.1}, MAP {'a': 0.1, 'b': 0.9}) AS probs
FROM range(20) r(i);
CREATE TABLE issues AS FROM label_issues(t, probs, label);
SELECT judged, agreement, round(agreement_low, 3), majority, can_judge, reason
FROM model_strength(issues, label);
-- expect
-- 20 | 0.95 | 0.764 | 0.55 | true | NULL

-- case: a model that always says the same
CREATE TABLE t AS SELECT i AS id, if(i % 4 = 0, 'b', 'a') AS label, MAP {'a': 0.7, 'b': 0.3} AS probs
FROM range(20) r(i);
CREATE TABLE issues AS FROM label_issues(t, probs, label);
SELECT agreement, majority, can_judge, reason LIKE 'the model is too weak to judge%'
FROM model_strength(issues, label);
-- expect
-- 0.75 | 0.75 | false | true
