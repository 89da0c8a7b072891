-- The threshold with which `label_set(class_probs, threshold)` holds the right label in a share
-- `coverage` of the rows, in one row: coverage, reviewed (the rows it rests on) and threshold, which
-- is infinite, for sets of all labels, where those are too few. From a label_issues result and a
-- decision log: of the rows reviewed at random (review_queue order=random), what people said of the
-- label. The share holds for rows drawn as those, on average over samples: split conformal
-- prediction (Romano, Sesia, Candes: NeurIPS 2020). It is of classes: probabilities of tags do not sum
-- to 1, and numbers and labels of words have none, which is an error.
label_set_threshold(issues, log, key, label, coverage := 0.9) AS TABLE
WITH _sf_issues AS MATERIALIZED (  -- so that it is looked at though no row may be needed
    FROM sqlfuncs.main._sf_found(issues, 'label_set_threshold', ['class_probs'])
), _sf_known AS (
    -- By itself: beside a table that has a column called log, log would be that column.
    FROM sqlfuncs.main._sf_reviewed(issues, log, key, label)
    WHERE _sf_is_random AND _sf_action IN ('keep', 'relabel')
), _sf_reviewed_rows AS (
    SELECT
        sqlfuncs.main._sf_probability(
            class_probs,
            CASE
                WHEN _sf_action = 'keep' THEN label
                ELSE TRY(cast_to_type(_sf_new, sqlfuncs.main._sf_typed(label)))
            END
        ) AS _sf_p,
        sqlfuncs.main._sf_probs(class_probs) AS _sf_of
    FROM _sf_issues AS _sf_in
    JOIN _sf_known ON _sf_row = (key)::VARCHAR
    WHERE class_probs IS NOT NULL
), _sf_scored AS (
    -- A label that the map does not name is in no set.
    SELECT CASE
        WHEN _sf_p IS NULL THEN 'infinity'
        ELSE sqlfuncs.main._sf_set_score(_sf_of, _sf_p)
    END::DOUBLE AS _sf_score
    FROM _sf_reviewed_rows
), _sf_checked AS (
    SELECT CASE
        WHEN any_value(typeof(label)) = 'VARCHAR[]' OR count(*) > 0 AND count(class_probs) = 0 THEN error(
            'label_set_threshold is about classes, of which one is right: '
            || if(any_value(typeof(label)) = 'VARCHAR[]', 'tags and labels of words are several', 'these labels have '
            || 'no class_probs, as numbers have none; label_low and label_high say what those may be') || '.'
        )
        ELSE true
    END AS _sf_fine
    FROM _sf_issues
), _sf_gathered AS (
    SELECT count(*) AS _sf_n, list_sort(list(_sf_score)) AS _sf_scores,
        ceil((count(*) + 1) * coalesce(coverage, 0.9)) AS _sf_place
    FROM _sf_scored
)
SELECT
    CASE
        WHEN coalesce(coverage, 0.9) > 0 AND coalesce(coverage, 0.9) < 1 THEN coalesce(coverage, 0.9)
        ELSE error(
            'label_set_threshold: coverage := ' || coverage || ' has to lie between 0 and 1, both left '
            || 'out. With coverage := 0.9 the right label is in nine of ten sets.'
        )
    END::DOUBLE AS coverage,
    CASE WHEN _sf_fine THEN _sf_n END AS reviewed,
    CASE WHEN _sf_place > _sf_n THEN 'infinity' ELSE _sf_scores[_sf_place::BIGINT] END::DOUBLE
        AS threshold
FROM _sf_gathered, _sf_checked;
