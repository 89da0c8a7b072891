-- Internal: a decision log as it is read everywhere: its columns, decided_at as TIMESTAMP in UTC, as it
-- was given, and whether it had a time zone. Columns that are missing are NULL, but for key, action and decided_at.
-- Decisions of no known moment, or of one no calendar holds, are an error: they would win for ever.
_sf_log(log) AS TABLE
WITH _sf_read AS (
    SELECT NULL AS key, NULL AS "action", NULL AS old_label, NULL AS new_label, NULL AS decided_by,
        NULL AS reason, NULL AS decided_at
    WHERE false
    UNION ALL BY NAME
    FROM query_table(log)
)
SELECT
    _sf_l.key AS key,
    _sf_l."action"::VARCHAR AS "action",
    _sf_l.old_label AS old_label,
    _sf_l.new_label AS new_label,
    _sf_l.decided_by::VARCHAR AS decided_by,
    _sf_l.reason::VARCHAR AS reason,
    CASE
        WHEN sqlfuncs.main._sf_moment(_sf_l.decided_at) >= TIMESTAMP '0001-01-01'
            AND sqlfuncs.main._sf_moment(_sf_l.decided_at) < TIMESTAMP '9999-01-01'
        THEN sqlfuncs.main._sf_moment(_sf_l.decided_at)
        ELSE error(
            'nothing was applied: decided_at of the decision about ' || coalesce(_sf_l.key::VARCHAR, 'NULL') || ' is '
            || coalesce(_sf_l.decided_at::VARCHAR, 'NULL') || '. It has to lie between the years 1 and 9998, so that '
            || 'later decisions come after it: UPDATE my_log SET decided_at = now() AT TIME ZONE ''UTC'' WHERE ...'
        )
    END AS decided_at,
    _sf_l.decided_at AS _sf_given,
    typeof(_sf_l.decided_at) IN ('TIMESTAMP WITH TIME ZONE', 'TIMESTAMPTZ_NS') AS _sf_has_zone
FROM _sf_read AS _sf_l;
