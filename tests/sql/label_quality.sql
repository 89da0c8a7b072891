-- case: the three methods
SELECT round(label_quality('a', MAP {'a': 0.6, 'b': 0.3, 'c': 0.1}, method := m), 4)
FROM (VALUES ('self_confidence'), ('normalized_margin'), ('confidence_weighted_entropy')) v(m);
-- expect
-- 0.6
-- 0.65
-- 0.631

-- case: a map that lacks the label, holds NaN, is NULL or empty
SELECT label_quality(label, probs) FROM (VALUES
    ('c', MAP {'a': 0.5, 'b': 0.5}), ('a', MAP {'a': 0.5, 'b': 'nan'::DOUBLE}), ('a', NULL),
    ('a', MAP {}), (NULL, MAP {'a': 0.5, 'b': 0.5}), ('a', MAP {'a': 0.5, 'b': 0.5}))
v(label, probs);
-- expect
-- NULL
-- NULL
-- NULL
-- NULL
-- NULL
-- 0.5

-- case: an unknown method
SELECT label_quality('a', MAP {'a': 0.5, 'b': 0.5}, method := 'entropy');
-- error: method := 'entropy' is not known
-- error: 'self_confidence', 'normalized_margin' or 'confidence_weighted_entropy'

-- case: probabilities that are no map
SELECT label_quality('a', 0.5);
-- error: MAP

-- case: labels of other types
SELECT label_quality(2, MAP {1: 0.25, 2: 0.75}), label_quality(false, MAP {'false': 0.25}),
    label_quality('x'::ENUM ('x', 'y'), MAP {'x': 1.0});
-- expect
-- 0.75 | 0.25 | 1.0
