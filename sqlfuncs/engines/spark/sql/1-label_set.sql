-- The smallest set of labels that holds the right one as often as was asked. As DuckDB's.
label_set(class_probs MAP<STRING, DOUBLE>, threshold DOUBLE)
RETURNS ARRAY<STRING>
COMMENT 'The most likely labels, until they have more than the threshold of the probability together.'
RETURN CASE
    WHEN class_probs IS NULL OR threshold IS NULL OR exists(
        map_values(class_probs),
        p -> p IS NULL OR isnan(p) OR abs(p) = double('infinity')
    ) THEN NULL
    ELSE transform(
        array_sort(filter(
            transform(
                map_entries(class_probs),
                entry -> named_struct(
                    'score', round(aggregate(
                        filter(map_values(class_probs), q -> q > entry.value), 0D, (sum, q) -> sum + q
                    ), 9),
                    'label', entry.key
                )
            ),
            each -> each.score <= greatest(threshold, 0D)
        )),
        each -> each.label
    )
END;
