-- The smallest set of labels that holds the right one as often as was asked of
-- `label_set_threshold`, whose threshold this takes: the most likely labels first, until they have
-- more than `threshold` of the probability together. NULL for probabilities that are NULL or hold
-- NULL, NaN or infinity. An adaptive prediction set: Romano, Sesia, Candes: Classification with
-- valid and adaptive coverage (NeurIPS 2020), without randomization and never empty.
label_set(class_probs, threshold) AS (
    CASE
        WHEN NOT sqlfuncs.main._sf_all_finite(class_probs) OR threshold IS NULL THEN NULL
        ELSE list_transform(
            list_sort(list_filter(
                sqlfuncs.main._sf_set_scores(class_probs),
                lambda _sf_of: _sf_of.score <= greatest(threshold, 0)
            )),
            lambda _sf_of: _sf_of.label
        )
    END
);
