-- Internal: a label as text that compares well with another column's: 1.0 is '1', and against
-- BOOLEAN 'True' is 'true'.
_sf_text(label, other) AS (
    CASE
        WHEN typeof(label) IN ('FLOAT', 'DOUBLE') OR starts_with(typeof(label), 'DECIMAL')
        THEN regexp_replace((label)::VARCHAR, '\.0+$', '')
        WHEN typeof(other) = 'BOOLEAN' THEN lower((label)::VARCHAR)
        ELSE (label)::VARCHAR
    END
);
