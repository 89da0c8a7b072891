-- Internal: the text of a value as one of the type of x, by which texts are compared with such values;
-- NULL for what is none.
_sf_cast(given, x) AS (
    TRY(cast_to_type((given)::VARCHAR, sqlfuncs.main._sf_typed(x)))::VARCHAR
);
