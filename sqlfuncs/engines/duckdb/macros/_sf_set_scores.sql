-- Internal: for each class of a map of probabilities how much the classes at least as likely have
-- together: what a set of labels holds whose last one it is.
_sf_set_scores(probs) AS (
    list_transform(
        map_entries(sqlfuncs.main._sf_probs(probs)),
        lambda _sf_entry: {
            score: round(list_sum(list_filter(
                map_values(sqlfuncs.main._sf_probs(probs)), lambda _sf_p: _sf_p >= _sf_entry.value
            )), 9),
            p: _sf_entry.value,
            label: _sf_entry.key
        }
    )
);
