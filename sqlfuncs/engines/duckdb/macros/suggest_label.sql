-- The label to use instead of the given one, in its own type, from class probabilities:
-- the most likely class. NULL where the given label stands (it is, or ties with, the most
-- likely), where the map has no such label, and where it holds NULL, NaN or infinity.
suggest_label(label, probs) AS (
    CASE
        WHEN NOT sqlfuncs.main._sf_all_finite(probs) THEN NULL
        WHEN sqlfuncs.main._sf_probability(probs, label)
            < list_max(map_values(sqlfuncs.main._sf_probs(probs)))
        THEN TRY(cast_to_type(
            map_keys(sqlfuncs.main._sf_read_probs(probs))[list_position(
                map_values(sqlfuncs.main._sf_read_probs(probs)),
                list_max(map_values(sqlfuncs.main._sf_read_probs(probs)))
            )],
            sqlfuncs.main._sf_typed(label)
        ))
    END
);
