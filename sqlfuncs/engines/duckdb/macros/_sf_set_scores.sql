-- Internal: for each class of a map of probabilities how much the more likely ones have together: the
-- threshold from which on a set of labels holds it. 0 for the most likely.
_sf_set_scores(probs) AS (
    list_transform(
        map_entries(sqlfuncs.main._sf_probs(probs)),
        lambda _sf_entry: {
            score: sqlfuncs.main._sf_set_score(probs, _sf_entry.value),
            label: _sf_entry.key
        }
    )
);
