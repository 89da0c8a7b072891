-- Cases of label_issues: bad input, and class probabilities and embeddings of a few numbers.
-- How a case is written: tests/test_sql_cases.py.

-- case: own probabilities, a wrong label found
CREATE TABLE t AS SELECT i AS id, if(i % 2 = 0 OR i = 3, 'a', 'b') AS label,
    if(i % 2 = 0, MAP {'a': 0.9, 'b': 0.1}, MAP {'a': 0.1, 'b': 0.9}) AS probs
FROM range(20) r(i);
SELECT id, label, label_quality, suggested_label, suggested_confidence > 0.5, class_probs, not_judged
FROM label_issues(t, probs, label) WHERE is_label_issue;
-- expect
-- 3 | a | 0.1 | b | true | {a=0.1, b=0.9} | NULL

-- case: every filter of cleanlab finds it
CREATE TABLE t AS SELECT i AS id, if(i % 2 = 0 OR i = 3, 'a', 'b') AS label,
    if(i % 2 = 0, MAP {'a': 0.9, 'b': 0.1}, MAP {'a': 0.1, 'b': 0.9}) AS probs
FROM range(20) r(i);
SELECT list(id) FROM label_issues(t, probs, label, cut := 'confident_learning',
    method := 'normalized_margin') WHERE is_label_issue;
-- expect
-- [3]

-- case: ENUM labels get suggestions of the ENUM
CREATE TABLE t AS SELECT i AS id, if(i % 2 = 0 OR i = 3, 'a', 'b')::ENUM ('b', 'a') AS label,
    if(i % 2 = 0, MAP {'a': 0.9, 'b': 0.1}, MAP {'a': 0.1, 'b': 0.9}) AS probs
FROM range(20) r(i);
SELECT label, suggested_label, typeof(suggested_label), typeof(predicted_label)
FROM label_issues(t, probs, label) WHERE is_label_issue;
-- expect
-- a | b | ENUM('b', 'a') | ENUM('b', 'a')

-- case: BOOLEAN labels get BOOLEAN suggestions
CREATE TABLE t AS SELECT i AS id, (i % 2 = 0 OR i = 3) AS label,
    if(i % 2 = 0, MAP {true: 0.9, false: 0.1}, MAP {true: 0.1, false: 0.9}) AS probs
FROM range(20) r(i);
SELECT label, suggested_label, typeof(suggested_label), class_probs
FROM label_issues(t, probs, label) WHERE is_label_issue;
-- expect
-- true | false | BOOLEAN | {false=0.9, true=0.1}

-- case: INTEGER labels get INTEGER suggestions, maps may have text as keys
CREATE TABLE t AS SELECT i AS id, if(i % 2 = 0 OR i = 3, 10, 9) AS label,
    if(i % 2 = 0, MAP {'9': 0.1, '10': 0.9}, MAP {'9': 0.9, '10': 0.1}) AS probs
FROM range(20) r(i);
SELECT label, suggested_label, typeof(suggested_label), class_probs
FROM label_issues(t, probs, label) WHERE is_label_issue;
-- expect
-- 10 | 9 | INTEGER | {9=0.9, 10=0.1}

-- case: quotes, emoji and line feeds in labels and other columns come back as they are
CREATE TABLE t AS SELECT i AS id, if(i % 2 = 0 OR i = 3, 'it''s "a"', E'🎈\nb') AS label,
    MAP(['it''s "a"', E'🎈\nb'], if(i % 2 = 0, [0.9, 0.1], [0.1, 0.9])) AS probs,
    E'x | "\n\\ 🎈' AS "odd ""na.me"
FROM range(20) r(i);
SELECT label, suggested_label, "odd ""na.me"
FROM label_issues(t, probs, label) WHERE is_label_issue;
-- expect
-- it's "a" | 🎈\nb | x | "\n\ 🎈

-- case: an odd name of a table goes through a CTE
CREATE TABLE "odd"".na🎈me" AS SELECT i AS id, if(i % 2 = 0, 'a', 'b') AS label,
    if(i % 2 = 0, MAP {'a': 0.9, 'b': 0.1}, MAP {'a': 0.1, 'b': 0.9}) AS probs
FROM range(20) r(i);
WITH input AS (FROM "odd"".na🎈me")
SELECT count(*), count(suggested_label) FROM label_issues(input, probs, label);
-- expect
-- 20 | 0

-- case: maps that are no distribution keep their row and say why
CREATE TABLE t (id INTEGER, label VARCHAR, probs MAP(VARCHAR, DOUBLE));
INSERT INTO t SELECT i AS id, if(i % 2 = 0, 'a', 'b') AS label,
    if(i % 2 = 0, MAP {'a': 0.9, 'b': 0.1}, MAP {'a': 0.1, 'b': 0.9}) AS probs
FROM range(20) r(i);
UPDATE t SET probs = CASE id
    WHEN 0 THEN MAP {'b': 1.0} WHEN 1 THEN MAP {'a': 0.9, 'b': 0.6}
    WHEN 2 THEN MAP {'a': 'nan'::DOUBLE, 'b': 0.5} WHEN 3 THEN NULL
    WHEN 4 THEN MAP {'a': -0.5, 'b': 1.5} WHEN 5 THEN MAP {}
    WHEN 6 THEN MAP {'a': NULL, 'b': 1.0} ELSE probs END;
UPDATE t SET label = NULL WHERE id = 7;
SELECT id, label_quality, is_label_issue, suggested_label, predicted_label, class_probs, not_judged
FROM label_issues(t, probs, label) WHERE id < 8;
-- expect
-- 0 | NULL | NULL | NULL | NULL | NULL | the probabilities have no class 'a'
-- 1 | NULL | NULL | NULL | NULL | NULL | the probabilities sum to 1.5, not to 1
-- 2 | NULL | NULL | NULL | NULL | NULL | the probabilities hold NULL, NaN or infinity
-- 3 | NULL | NULL | NULL | NULL | NULL | the probabilities are NULL
-- 4 | NULL | NULL | NULL | NULL | NULL | a probability is below 0 or above 1
-- 5 | NULL | NULL | NULL | NULL | NULL | the probabilities are an empty map
-- 6 | NULL | NULL | NULL | NULL | NULL | the probabilities hold NULL, NaN or infinity
-- 7 | NULL | false | b | b | {a=0.1, b=0.9} | the label is NULL

-- case: probabilities rounded for storage still count
CREATE TABLE t AS SELECT i AS id, if(i % 2 = 0, 'a', 'b') AS label,
    MAP {'a': 0.333, 'b': 0.333, 'c': 0.333} AS probs
FROM range(20) r(i);
SELECT count(*), count(not_judged) FROM label_issues(t, probs, label);
-- expect
-- 20 | 0

-- case: no map names the label
CREATE TABLE t AS SELECT if(i % 2 = 0, 'a', 'b') AS label, MAP {'x': 0.5, 'y': 0.5} AS probs
FROM range(20) r(i);
FROM label_issues(t, probs, label);
-- error: no row can be judged
-- error: the probabilities have no class 'a' (10 rows)

-- case: no map sums to 1
CREATE TABLE t AS SELECT if(i % 2 = 0, 'a', 'b') AS label, MAP {'a': 0.7, 'b': 0.5} AS probs
FROM range(20) r(i);
FROM label_issues(t, probs, label);
-- error: no row can be judged
-- error: sum to 1.2, not to 1 (20 rows)

-- case: every map holds NaN
CREATE TABLE t AS SELECT if(i % 2 = 0, 'a', 'b') AS label,
    MAP {'a': 'nan'::DOUBLE, 'b': 0.5} AS probs
FROM range(20) r(i);
FROM label_issues(t, probs, label);
-- error: no row can be judged
-- error: NaN

-- case: every map is empty
CREATE TABLE t AS SELECT if(i % 2 = 0, 'a', 'b') AS label, MAP {}::MAP(VARCHAR, DOUBLE) AS probs
FROM range(20) r(i);
FROM label_issues(t, probs, label);
-- error: no row can be judged: the probabilities are an empty map (20 rows)

-- case: maps whose classes stand in another order, or are not all there, come back in one order
CREATE TABLE t AS SELECT i AS id, if(i % 2 = 0, 'a', 'b') AS label,
    if(i = 0, MAP {'b': 0.1, 'a': 0.9}, if(i = 1, MAP {'b': 1.0}, MAP {'a': 0.5, 'b': 0.5})) AS probs
FROM range(20) r(i);
SELECT id, probs, class_probs FROM label_issues(t, probs, label) WHERE id < 3;
-- expect
-- 0 | {b=0.1, a=0.9} | {a=0.9, b=0.1}
-- 1 | {b=1.0} | {a=0.0, b=1.0}
-- 2 | {a=0.5, b=0.5} | {a=0.5, b=0.5}

-- case: all labels NULL
CREATE TABLE t AS SELECT NULL::VARCHAR AS label, MAP {'a': 0.5, 'b': 0.5} AS probs
FROM range(20) r(i);
FROM label_issues(t, probs, label);
-- error: no row can be judged: the label is NULL (20 rows)

-- case: all values NULL
CREATE TABLE t AS SELECT if(i % 2 = 0, 'a', 'b') AS label, NULL::MAP(VARCHAR, DOUBLE) AS probs
FROM range(20) r(i);
FROM label_issues(t, probs, label);
-- error: no row can be judged: the probabilities are NULL (20 rows)

-- case: an empty table
CREATE TABLE t (label VARCHAR, probs MAP(VARCHAR, DOUBLE));
FROM label_issues(t, probs, label);
-- error: the table has no rows

-- case: one class
CREATE TABLE t AS SELECT 'a' AS label, MAP {'a': 0.5, 'b': 0.5} AS probs FROM range(20) r(i);
FROM label_issues(t, probs, label);
-- error: it takes two classes or more

-- case: the label in quotes
CREATE TABLE t AS SELECT if(i % 2 = 0, 'a', 'b') AS label,
    MAP {'label': 0.5, 'b': 0.5} AS probs
FROM range(20) r(i);
FROM label_issues(t, probs, 'label');
-- error: 'label' is a constant text, not a column
-- error: or in double quotes: "label"

-- case: NULL instead of the label
CREATE TABLE t AS SELECT MAP {'a': 0.5, 'b': 0.5} AS probs FROM range(20) r(i);
FROM label_issues(t, probs, NULL::VARCHAR);
-- error: no row can be judged: the label is NULL (20 rows)

-- case: a number instead of x
CREATE TABLE t AS SELECT if(i % 2 = 0, 'a', 'b') AS label FROM range(20) r(i);
FROM label_issues(t, 5, label);
-- error: cannot be read
-- error: text (VARCHAR), an embedding (FLOAT[]), several fields (a STRUCT: {a: a, b: b}), an image (BLOB)

-- case: NULL instead of x
CREATE TABLE t AS SELECT if(i % 2 = 0, 'a', 'b') AS label FROM range(20) r(i);
FROM label_issues(t, NULL, label);
-- error: no row can be judged: x is NULL (20 rows)

-- case: votes in the place of x
CREATE TABLE t AS SELECT i AS id, if(i % 2 = 0 OR i = 3, 'a', 'b') AS label,
    if(i % 2 = 0, 'a', 'b') AS gpt, if(i % 4 = 0, 'a', NULL) AS rule
FROM range(40) r(i);
SELECT id, label, suggested_label FROM label_issues(t, NULL, label, votes := [gpt, rule]) WHERE is_label_issue;
-- expect
-- 3 | a | b

-- case: votes beside own probabilities
CREATE TABLE t AS SELECT if(i % 2 = 0, 'a', 'b') AS label, if(i % 3 = 0, 'a', 'b') AS gpt,
    MAP {'a': 0.5, 'b': 0.5} AS probs
FROM range(20) r(i);
FROM label_issues(t, probs, label, votes := [gpt]);
-- error: Let it vote as well, and name NULL for x

-- case: a vote that is the label
CREATE TABLE t AS SELECT if(i % 2 = 0, 'a', 'b') AS label FROM range(20) r(i);
FROM label_issues(t, NULL, label, votes := {said: label});
-- error: no vote can be used (said: it foretells the label of every row

-- case: an unknown table
FROM label_issues(nosuch, probs, label);
-- error: Table with name nosuch does not exist

-- case: an unknown column
CREATE TABLE t AS SELECT 'a' AS label, MAP {'a': 0.5, 'b': 0.5} AS probs;
FROM label_issues(t, prob, label);
-- error: Referenced column "prob" not found
-- error: "probs"

-- case: an unknown option
CREATE TABLE t AS SELECT 'a' AS label, MAP {'a': 0.5, 'b': 0.5} AS probs;
FROM label_issues(t, probs, label, cuts := 'auto');
-- error: label_issues(tbl, x, label, votes := NULL, annotator := NULL, key := NULL, log := NULL, model := 'fast'

-- case: an unknown value of an option
CREATE TABLE t AS SELECT 'a' AS label, MAP {'a': 0.5, 'b': 0.5} AS probs;
FROM label_issues(t, probs, label, cut := 'most');
-- error: cut := 'most' is not known
-- error: 'prune_by_noise_rate'

-- case: a value of the wrong type for an option
CREATE TABLE t AS SELECT 'a' AS label, MAP {'a': 0.5, 'b': 0.5} AS probs;
FROM label_issues(t, probs, label, folds := 'five');
-- error: folds := 'five'
-- error: has to be a whole number

-- case: NULL for an option is its default
CREATE TABLE t AS SELECT if(i % 2 = 0, 'a', 'b') AS label, MAP {'a': 0.5, 'b': 0.5} AS probs
FROM range(20) r(i);
SELECT count(*) FROM label_issues(t, probs, label, cut := NULL, folds := NULL);
-- expect
-- 20

-- case: a column that is already called label_quality
CREATE TABLE t AS SELECT if(i % 2 = 0, 'a', 'b') AS label, MAP {'a': 0.5, 'b': 0.5} AS probs,
    1 AS "Label_Quality"
FROM range(20) r(i);
FROM label_issues(t, probs, label);
-- error: the table already has the column "Label_Quality"
-- error: EXCLUDE

-- case: embeddings of two numbers
CREATE TABLE t AS SELECT i AS id, if(i % 2 = 0 OR i = 3, 'a', 'b') AS label,
    [if(i % 2 = 0, 1, -1), i / 100]::FLOAT[2] AS e
FROM range(40) r(i);
SELECT id, suggested_label FROM label_issues(t, e, label) WHERE is_label_issue;
-- expect
-- 3 | b

-- case: fields of every kind, NULLs among them
CREATE TABLE t AS SELECT i AS id, (i % 7)::HUGEINT AS h, (i % 4)::DECIMAL(10, 2) AS d,
    DATE '2026-01-01' + (i % 50)::INTEGER AS day, TIMESTAMPTZ '2026-01-01' + INTERVAL (i) HOUR AS moment,
    TIME '10:00:00' + INTERVAL (i % 50) MINUTE AS clock, INTERVAL (i % 5) DAY AS lasted,
    ('k' || (i % 3))::ENUM ('k0', 'k1', 'k2') AS e, if(i % 5 = 0, NULL, i % 2 = 0) AS even,
    if(i % 2 = 0, 'x', 'y') AS c, uuid() AS u, [i] AS l, NULL AS nothing, 7 AS same,
    if(i % 2 = 0 OR i IN (33, 67), 'a', 'b') AS label
FROM range(120) r(i);
SELECT id, suggested_label FROM label_issues(t, {h: h, d: d, day: day, moment: moment, clock: clock,
    lasted: lasted, e: e, even: even, c: c, u: u, l: l, nothing: nothing, same: same}, label)
WHERE is_label_issue;
-- expect
-- 33 | b
-- 67 | b

-- case: rows of NULL keep their place and say why
CREATE TABLE t AS SELECT i AS id, if(i % 2 = 0, 'a', 'b') AS label,
    CASE i WHEN 3 THEN NULL WHEN 4 THEN {n: NULL, c: NULL} WHEN 5 THEN {n: 'inf'::DOUBLE, c: 'x'}
        ELSE {n: i % 2 + i / 100, c: 'x'} END AS x
FROM range(60) r(i);
SELECT id, not_judged FROM label_issues(t, x, label) WHERE not_judged IS NOT NULL;
-- expect
-- 3 | the row is NULL
-- 4 | all fields are NULL

-- case: a STRUCT of which no field can be used
CREATE TABLE t AS SELECT i AS id, [i] AS l, 7 AS same, if(i % 2 = 0, 'a', 'b') AS label
FROM range(20) r(i);
FROM label_issues(t, {l: l, same: same}, label);
-- error: x is a STRUCT of which no field can be used (l: its type is neither
-- error: same: it is NULL or the same everywhere). It takes a field of numbers

-- case: fields without names, and odd ones
CREATE TABLE t AS SELECT i AS id, i % 2 + i / 100 AS n, if(i % 2 = 0 OR i = 33, 'a', 'b') AS label
FROM range(60) r(i);
SELECT id FROM label_issues(t, row(n, n > 1), label) WHERE is_label_issue
UNION ALL SELECT id FROM label_issues(t, {'it''s "n" 🎈': n}, label) WHERE is_label_issue;
-- expect
-- 33
-- 33

-- case: bytes that are no image
CREATE TABLE t AS SELECT i AS id, 'bytes'::BLOB AS picture, if(i % 2 = 0, 'a', 'b') AS label
FROM range(20) r(i);
FROM label_issues(t, picture, label);
-- error: no row can be judged: the image is in no format that can be read (20 rows)

-- case: paths of images of which there is none
CREATE TABLE t AS SELECT 'nowhere/' || i || '.jpg' AS path, if(i % 2 = 0, 'a', 'b') AS label
FROM range(20) r(i);
FROM label_issues(t, path, label);
-- error: every x ends like the path of an image ('nowhere/0.jpg'), but not one of these files
-- error: Give whole paths or, where it is text, x || ' '

-- case: models are not trained on fields or images
CREATE TABLE t AS SELECT i % 2 AS n, if(i % 2 = 0, 'a', 'b') AS label FROM range(20) r(i);
FROM fine_tune('mine', t, {n: n}, label);
-- error: fine_tune cannot train on the fields of a STRUCT. x may be text (VARCHAR) or

-- case: of copies of one text the one that is called otherwise
CREATE TABLE t AS SELECT i AS id, ['late parcel', 'wrong bill'][i % 2 + 1] AS text,
    if(i = 10, 'billing', ['delivery', 'billing'][i % 2 + 1]) AS label FROM range(40) r(i);
SELECT id, suggested_label, label_quality < 0.5 FROM label_issues(t, text, label) WHERE is_label_issue;
-- expect
-- 10 | delivery | true

-- case: texts without several words are no free text, and none of them is left
CREATE TABLE t AS SELECT i AS id, i % 2 AS label, 'K-' || i AS key, i || '@example.org' AS mail FROM range(20) r(i);
FROM label_issues(t, {key: key, mail: mail}, label);
-- error: no field can be used (key: it is text of 20 different values, too many for categories; mail: it is text
-- error: of few distinct values or of several words

-- case: fields without free text have no encoder
CREATE TABLE t AS SELECT i AS id, i % 2 AS label, i % 7 AS n FROM range(20) r(i);
FROM label_issues(t, {n: n}, label, model := 'minilm');
-- error: model := 'minilm' reads text or images. the fields of a STRUCT, of which none is free text, may have model := 'fast' or 'best'

-- case: fine_tune takes no fields, of free text neither
CREATE TABLE t AS SELECT i AS id, i % 2 AS label, 'some words of ' || i AS body FROM range(20) r(i);
FROM fine_tune('m', t, {body: body}, label);
-- error: fine_tune cannot train on the fields of a STRUCT
