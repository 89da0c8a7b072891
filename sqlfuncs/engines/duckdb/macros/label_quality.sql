-- How likely a given label is right, from class probabilities: 0 worst, 1 best.
-- NULL where the map has no such label or holds NaN or infinity. `method` is 'self_confidence' (the
-- probability of the given label), 'normalized_margin' (against the best other class) or
-- 'confidence_weighted_entropy', as in cleanlab.rank.
label_quality(label, probs, method := 'self_confidence') AS (
    CASE
        WHEN NOT isfinite(list_sum(map_values(probs::MAP(VARCHAR, DOUBLE)))) THEN NULL
        ELSE CASE coalesce(method, 'self_confidence')
            WHEN 'self_confidence' THEN
                map_extract_value(probs::MAP(VARCHAR, DOUBLE), label::VARCHAR)
            WHEN 'normalized_margin' THEN (
                map_extract_value(probs::MAP(VARCHAR, DOUBLE), label::VARCHAR) + 1
                - list_max([
                    CASE WHEN _sf_e.key = label::VARCHAR THEN NULL ELSE _sf_e.value END
                    FOR _sf_e IN map_entries(probs::MAP(VARCHAR, DOUBLE))
                ])
            ) / 2
            WHEN 'confidence_weighted_entropy' THEN list_transform(
                [
                    list_sum([
                        CASE WHEN _sf_p > 0 THEN -_sf_p * ln(_sf_p) ELSE 0 END
                        FOR _sf_p IN map_values(probs::MAP(VARCHAR, DOUBLE))
                    ])
                    / ln(nullif(len(map_keys(probs)), 1))
                    / greatest(map_extract_value(probs::MAP(VARCHAR, DOUBLE), label::VARCHAR), 1e-6)
                    -- greatest() skips NULL: a label that is not in the map stays unknown.
                    + 0 * map_extract_value(probs::MAP(VARCHAR, DOUBLE), label::VARCHAR)
                ],
                lambda _sf_w: ln(_sf_w + 1) / greatest(_sf_w, 1e-6)
            )[1]
            ELSE error(
                'label_quality: method := ''' || method || ''' is not known. It may be '
                || '''self_confidence'', ''normalized_margin'' or ''confidence_weighted_entropy''.'
            )
        END
    END
);
