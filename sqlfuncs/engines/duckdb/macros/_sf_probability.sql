-- Internal: the probability of a label; NULL where the map has none of it, or more than one. What is not
-- spelt like a key is compared with them as labels are.
_sf_probability(probs, label) AS (
    coalesce(
        map_extract_value(sqlfuncs.main._sf_probs(probs), sqlfuncs.main._sf_label(label)),
        _sf_label_probability(
            map_values(sqlfuncs.main._sf_probs(probs)),
            [
                {
                    text: _sf_k,
                    moment: sqlfuncs.main._sf_time(_sf_k),
                    instant: TRY_CAST(_sf_k AS TIMESTAMPTZ)::VARCHAR
                }
                FOR _sf_k IN map_keys(sqlfuncs.main._sf_probs(probs))
            ],
            sqlfuncs.main._sf_keys_kind(typeof(probs)),
            {
                text: sqlfuncs.main._sf_label(label),
                moment: sqlfuncs.main._sf_time(sqlfuncs.main._sf_label(label)),
                instant: TRY_CAST(sqlfuncs.main._sf_label(label) AS TIMESTAMPTZ)::VARCHAR
            },
            sqlfuncs.main._sf_kind(typeof(label))
        )
    )
);
