-- The label to use instead of the given one, in its own type, from class probabilities:
-- the most likely class. NULL where the given label stands (it is, or ties with, the most
-- likely), where the map has no such label, and where it holds NaN or infinity.
suggest_label(label, probs) AS (
    CASE
        WHEN NOT isfinite(list_sum(map_values(probs::MAP(VARCHAR, DOUBLE)))) THEN NULL
        WHEN map_extract_value(probs::MAP(VARCHAR, DOUBLE), label::VARCHAR)
            < list_max(map_values(probs::MAP(VARCHAR, DOUBLE)))
        THEN TRY(cast_to_type(
            map_keys(probs::MAP(VARCHAR, DOUBLE))[list_position(
                map_values(probs::MAP(VARCHAR, DOUBLE)),
                list_max(map_values(probs::MAP(VARCHAR, DOUBLE)))
            )],
            label
        ))
    END
);
