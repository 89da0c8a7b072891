-- case: until the labels have more than the threshold together
SELECT label_set(MAP {'a': 0.2, 'b': 0.5, 'c': 0.3}, t) FROM (VALUES (0.4), (0.5), (0.8)) v(t) ORDER BY t;
-- expect
-- [b]
-- [b, c]
-- [b, c, a]

-- case: probabilities that are none
SELECT label_set(MAP {'a': 0.5, 'b': NULL}, 0.5), label_set(NULL, 0.5);
-- expect
-- NULL | NULL
