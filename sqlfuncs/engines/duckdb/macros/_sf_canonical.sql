-- Internal: a value in the form in which labels are compared: the same form is the same label, as
-- learning/labels/labels.py decides. `own` is the kind of the value, `kinds` those of both values compared; x
-- is the other one, whose type the value is cast to if it is compared in that.
_sf_canonical(given, own, kinds, x) AS (
    _sf_label_form(
        (given)::VARCHAR, own, kinds,
        sqlfuncs.main._sf_time(given),
        TRY_CAST((given)::VARCHAR AS TIMESTAMPTZ)::VARCHAR,
        sqlfuncs.main._sf_cast(given, x)
    )
);
