-- The label to use instead of the given one, from class probabilities. As DuckDB's, as text.
suggest_label(label STRING, probs MAP<STRING, DOUBLE>)
RETURNS STRING
COMMENT 'The label to use instead of the given one, from class probabilities; NULL where that stands.'
RETURN CASE
    WHEN probs IS NULL OR cardinality(probs) = 0 OR exists(
        map_values(probs),
        p -> p IS NULL OR isnan(p) OR abs(p) = double('infinity')
    ) THEN NULL
    WHEN try_element_at(probs, label) < array_max(map_values(probs))
    THEN get(
        map_keys(probs),
        CAST(array_position(map_values(probs), array_max(map_values(probs))) AS INT) - 1
    )
END;
