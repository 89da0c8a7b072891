-- How likely a given label is right, from class probabilities: 0 worst, 1 best.
-- NULL where the map has no such label or holds NULL, NaN or infinity. `method` is 'self_confidence' (the
-- probability of the given label), 'normalized_margin' (against the best other class) or
-- 'confidence_weighted_entropy', as in cleanlab.rank.
label_quality(label, probs, method := 'self_confidence') AS (
    CASE
        WHEN NOT sqlfuncs.main._sf_all_finite(probs) THEN NULL
        ELSE CASE coalesce(method, 'self_confidence')
            WHEN 'self_confidence' THEN sqlfuncs.main._sf_probability(probs, label)
            WHEN 'normalized_margin' THEN list_transform(
                [sqlfuncs.main._sf_probability(probs, label)],
                -- The best other class: the best, or the second where the label is the best.
                lambda _sf_g: (_sf_g + 1 - CASE
                    WHEN _sf_g < list_max(map_values(sqlfuncs.main._sf_probs(probs)))
                    THEN list_max(map_values(sqlfuncs.main._sf_probs(probs)))
                    ELSE list_sort(map_values(sqlfuncs.main._sf_probs(probs)), 'DESC')[2]
                END) / 2
            )[1]
            WHEN 'confidence_weighted_entropy' THEN list_transform(
                [sqlfuncs.main._sf_probability(probs, label)],
                lambda _sf_g: list_transform(
                    [
                        list_sum([
                            CASE WHEN _sf_p > 0 THEN -_sf_p * ln(_sf_p) ELSE 0 END
                            FOR _sf_p IN map_values(sqlfuncs.main._sf_probs(probs))
                        ])
                        / ln(nullif(greatest(len(map_values(sqlfuncs.main._sf_probs(probs))), 1), 1))
                        -- greatest() skips NULL: a label that is not in the map stays unknown.
                        / greatest(_sf_g, 1e-6) + 0 * _sf_g
                    ],
                    lambda _sf_w: ln(_sf_w + 1) / greatest(_sf_w, 1e-6)
                )[1]
            )[1]
            ELSE error(
                'label_quality: method := ''' || method || ''' is not known. It may be '
                || '''self_confidence'', ''normalized_margin'' or ''confidence_weighted_entropy''.'
            )
        END
    END
);
