-- Internal: true labels, predictions and, if there are any, those of another column, in the form in
-- which they are compared, with how many rows have these (`_sf_n`). Rows are counted first, by values
-- of their own types: what follows is about few. True labels are NULL where they are NaN, which is none.
-- An error where they are numbers, or share no value with another column; b and c name the others.
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
), _sf_all_kinds AS (
    SELECT *, _sf_a_kind || ' ' || _sf_b_kind || ' ' || _sf_c_kind AS _sf_kinds_of_all FROM _sf_kinds
), _sf_forms AS MATERIALIZED (
    SELECT *,
        _sf_label_form(_sf_a::VARCHAR, _sf_a_kind, _sf_a_kind, NULL, NULL, NULL) AS _sf_own_form,
        sqlfuncs.main._sf_canonical(_sf_a, _sf_a_kind, _sf_kinds_of_all, _sf_b, _sf_c) AS _sf_a_form,
        sqlfuncs.main._sf_canonical(_sf_b, _sf_b_kind, _sf_kinds_of_all, _sf_a, _sf_c) AS _sf_predicted,
        sqlfuncs.main._sf_canonical(_sf_c, _sf_c_kind, _sf_kinds_of_all, _sf_a, _sf_b) AS _sf_other
    FROM _sf_all_kinds
), _sf_known AS MATERIALIZED (
    SELECT *, CASE
        WHEN _sf_own_form = 'nan' AND _sf_a_kind = 'float' THEN NULL
        ELSE _sf_a_form
    END AS _sf_actual
    FROM _sf_forms
), _sf_sides AS (
    SELECT
        sum(_sf_rows)::BIGINT AS _sf_known_rows,
        {name: 'actual', kind: any_value(_sf_a_kind), forms: list(DISTINCT _sf_actual)} AS _sf_1,
        {name: b, kind: any_value(_sf_b_kind),
            forms: list(DISTINCT _sf_predicted) FILTER (_sf_predicted IS NOT NULL)} AS _sf_2,
        {name: c, kind: any_value(_sf_c_kind),
            forms: list(DISTINCT _sf_other) FILTER (_sf_other IS NOT NULL)} AS _sf_3
    FROM _sf_known
    WHERE _sf_actual IS NOT NULL
), _sf_checked AS (
    SELECT _sf_known_rows IS NULL
        OR _sf_comparable_labels([_sf_1, _sf_2, _sf_3], _sf_known_rows) AS _sf_fine
    FROM _sf_sides
)
SELECT _sf_actual, _sf_predicted, _sf_other, sum(_sf_rows)::BIGINT AS _sf_n
FROM _sf_known, _sf_checked
WHERE _sf_fine
GROUP BY ALL;
