-- How likely a given label is right, from class probabilities: 0 worst, 1 best. As DuckDB's.
label_quality(label STRING, probs MAP<STRING, DOUBLE>, method STRING DEFAULT 'self_confidence')
RETURNS DOUBLE
COMMENT 'How likely a given label is right, from class probabilities: 0 worst, 1 best.'
RETURN CASE
    WHEN probs IS NULL OR cardinality(probs) = 0 OR exists(
        map_values(probs),
        p -> p IS NULL OR isnan(p) OR abs(p) = double('infinity')
    ) THEN NULL
    ELSE CASE coalesce(method, 'self_confidence')
        WHEN 'self_confidence' THEN try_element_at(probs, label)
        WHEN 'normalized_margin' THEN (
            try_element_at(probs, label) + 1 - CASE
                WHEN try_element_at(probs, label) < array_max(map_values(probs))
                THEN array_max(map_values(probs))
                -- The label is the best: the second is the best other class.
                ELSE get(sort_array(map_values(probs), false), 1)
            END
        ) / 2
        WHEN 'confidence_weighted_entropy' THEN get(transform(
            array(
                aggregate(
                    map_values(probs), 0D, (sum, p) -> sum + CASE WHEN p > 0 THEN -p * ln(p) ELSE 0D END
                )
                / ln(nullif(cardinality(probs), 1))
                / greatest(try_element_at(probs, label), 1e-6D) + 0 * try_element_at(probs, label)
            ),
            w -> ln(w + 1) / greatest(w, 1e-6D)
        ), 0)
        ELSE raise_error(
            'label_quality: method => \'' || method || '\' is not known. It may be '
            || '\'self_confidence\', \'normalized_margin\' or \'confidence_weighted_entropy\'.'
        )
    END
END;
