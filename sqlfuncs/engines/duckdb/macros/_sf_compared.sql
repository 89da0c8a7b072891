-- Internal: true labels and predictions in the form in which they are compared, with how many rows
-- have these (`_sf_n`); and where there is another column, whether the true label is that one
-- (`_sf_is_other`, NULL where there is none), and the prediction (`_sf_says_other`). Each pair of columns
-- is compared as if there was no third, for `=` between types is not transitive; but for another label
-- that stands among the true ones: a prediction is the same if it is the same as that one. Rows are counted first, by
-- values of their own types: what follows is about few. True labels are NULL where they are NaN, which
-- is none. An error where they are numbers, or share no value with a column; b and c name these.
_sf_compared(tbl, actual, predicted, other := NULL, b := 'predicted', c := 'other') AS TABLE
WITH _sf_given AS (
    SELECT sqlfuncs.main._sf_bare(actual) AS _sf_a, predicted AS _sf_b, other AS _sf_c
    FROM query_table(tbl) AS _sf_in
), _sf_counted AS MATERIALIZED (
    SELECT
        sqlfuncs.main._sf_one(_sf_a, 'actual') AS _sf_a, sqlfuncs.main._sf_one(_sf_b, b) AS _sf_b,
        sqlfuncs.main._sf_one(_sf_c, c) AS _sf_c, count(*) AS _sf_rows
    FROM _sf_given
    GROUP BY ALL
), _sf_kinds AS (
    SELECT *,
        sqlfuncs.main._sf_kind(typeof(_sf_a)) AS _sf_a_kind,
        sqlfuncs.main._sf_kind(typeof(_sf_b)) AS _sf_b_kind,
        sqlfuncs.main._sf_kind(typeof(_sf_c)) AS _sf_c_kind
    FROM _sf_counted
), _sf_forms AS MATERIALIZED (
    SELECT _sf_a_kind, _sf_b_kind, _sf_c_kind, _sf_rows,
        _sf_a_kind = 'float' AND _sf_label_form(_sf_a::VARCHAR, _sf_a_kind, _sf_a_kind, NULL, NULL, NULL) = 'nan'
            AS _sf_is_nan,
        sqlfuncs.main._sf_canonical(_sf_a, _sf_a_kind, _sf_a_kind || ' ' || _sf_b_kind, _sf_b) AS _sf_a_of_b,
        sqlfuncs.main._sf_canonical(_sf_b, _sf_b_kind, _sf_a_kind || ' ' || _sf_b_kind, _sf_a) AS _sf_b_of_a,
        sqlfuncs.main._sf_canonical(_sf_a, _sf_a_kind, _sf_a_kind || ' ' || _sf_c_kind, _sf_c) AS _sf_a_of_c,
        sqlfuncs.main._sf_canonical(_sf_c, _sf_c_kind, _sf_a_kind || ' ' || _sf_c_kind, _sf_a) AS _sf_c_of_a,
        sqlfuncs.main._sf_canonical(_sf_b, _sf_b_kind, _sf_b_kind || ' ' || _sf_c_kind, _sf_c) AS _sf_b_of_c,
        sqlfuncs.main._sf_canonical(_sf_c, _sf_c_kind, _sf_b_kind || ' ' || _sf_c_kind, _sf_b) AS _sf_c_of_b
    FROM _sf_kinds
), _sf_known AS MATERIALIZED (
    SELECT *, CASE WHEN NOT coalesce(_sf_is_nan, false) THEN _sf_a_of_b END AS _sf_actual FROM _sf_forms
), _sf_among_true AS (
    SELECT _sf_a_of_c AS _sf_form, list(DISTINCT _sf_a_of_b) AS _sf_forms_of_b
    FROM _sf_known WHERE _sf_actual IS NOT NULL GROUP BY 1
), _sf_sides AS (
    SELECT
        sum(_sf_rows)::BIGINT AS _sf_known_rows,
        [
            {name: 'actual', kind: any_value(_sf_a_kind), forms: list(DISTINCT _sf_a_of_b)},
            {name: b, kind: any_value(_sf_b_kind),
                forms: list(DISTINCT _sf_b_of_a) FILTER (_sf_b_of_a IS NOT NULL)}
        ] AS _sf_of_b,
        [
            {name: 'actual', kind: any_value(_sf_a_kind), forms: list(DISTINCT _sf_a_of_c)},
            {name: c, kind: any_value(_sf_c_kind),
                forms: list(DISTINCT _sf_c_of_a) FILTER (_sf_c_of_a IS NOT NULL)}
        ] AS _sf_of_c
    FROM _sf_known
    WHERE _sf_actual IS NOT NULL
), _sf_checked AS (
    SELECT _sf_known_rows IS NULL
        OR (_sf_comparable_labels(_sf_of_b, _sf_known_rows)
            AND _sf_comparable_labels(_sf_of_c, _sf_known_rows)) AS _sf_fine
    FROM _sf_sides
)
SELECT _sf_actual, _sf_b_of_a AS _sf_predicted, _sf_a_of_c = _sf_c_of_a AS _sf_is_other,
    coalesce(list_contains(_sf_forms_of_b, _sf_b_of_a), _sf_b_of_c = _sf_c_of_b) AS _sf_says_other,
    sum(_sf_rows)::BIGINT AS _sf_n
FROM _sf_known CROSS JOIN _sf_checked LEFT JOIN _sf_among_true ON _sf_form = _sf_c_of_a
WHERE _sf_fine
GROUP BY ALL;
