-- case: the most likely label, unless the given one ties with it
SELECT suggest_label(label, probs) FROM (VALUES
    ('a', MAP {'a': 0.2, 'b': 0.8}), ('b', MAP {'a': 0.2, 'b': 0.8}), ('b', MAP {'a': 0.5, 'b': 0.5}),
    ('c', MAP {'a': 0.2, 'b': 0.8}), (NULL, MAP {'a': 0.2, 'b': 0.8}), ('a', NULL),
    ('a', MAP {'a': 0.1, 'b': 'nan'::DOUBLE})) v(label, probs);
-- expect
-- b
-- NULL
-- NULL
-- NULL
-- NULL
-- NULL
-- NULL

-- case: it has the type of the label
SELECT typeof(suggest_label(1, MAP {'1': 0.2, '2': 0.8})),
    typeof(suggest_label('a'::ENUM ('a', 'b'), MAP {'a': 0.2, 'b': 0.8})),
    suggest_label(false, MAP {true: 0.9, false: 0.1});
-- expect
-- INTEGER | ENUM('a', 'b') | true
