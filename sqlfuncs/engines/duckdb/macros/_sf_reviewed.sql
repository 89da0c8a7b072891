-- Internal: what is decided about each row of a table, by its key: the decision in force, whether
-- it decides for good, whether it says that the label given is wrong, and whether the row belongs
-- to a random sample: as far as the random order of the rows, which is the same for everybody, is
-- decided without a gap. `log` holds decisions of people; what machines propose waits for one.
_sf_reviewed(tbl, log, key, label) AS TABLE
WITH _sf_in_force AS (
    SELECT _sf_key, _sf_action, _sf_new
    FROM sqlfuncs.main._sf_decisions(tbl, log, key, label, NULL)
    UNION ALL
    SELECT NULL, NULL, NULL
), _sf_joined AS (
    SELECT
        (key)::VARCHAR AS _sf_row,
        _sf_action,
        _sf_new,
        coalesce(_sf_action IN ('relabel', 'keep', 'exclude'), false) AS _sf_is_decided,
        (label) IS NOT NULL AND coalesce(
            _sf_action = 'exclude' OR _sf_action = 'relabel' AND _sf_new IS DISTINCT FROM (label)::VARCHAR,
            false
        ) AS _sf_is_wrong,
        row_number() OVER (ORDER BY sqlfuncs.main._sf_random_order(key)) AS _sf_random_rank
    FROM query_table(tbl) AS _sf_in LEFT JOIN _sf_in_force ON _sf_key = (key)::VARCHAR
)
SELECT *, _sf_random_rank < (
    SELECT coalesce(min(_sf_random_rank) FILTER (NOT _sf_is_decided), count(*) + 1) FROM _sf_joined
) AS _sf_is_random
FROM _sf_joined;
