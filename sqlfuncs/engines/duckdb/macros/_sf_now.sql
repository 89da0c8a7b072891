-- Internal: the moment of what is decided now, in UTC and of the type that a log's decided_at has: later
-- than all that stands in the log, whatever the clock or the time zone says. A log that cannot be read is an
-- error here, too: it is not added to. Logs of DATE leave the order within a day open.
_sf_now(log) AS TABLE
WITH _sf_latest AS (
    SELECT max(_sf_given) AS _sf_given, max(decided_at) AS _sf_moment FROM sqlfuncs.main._sf_log(log)
)
SELECT cast_to_type(
    CASE
        WHEN typeof(_sf_given) = 'DATE' THEN error(
            'nothing was written: decided_at of the decision log is DATE, which leaves open what was decided last on '
            || 'a day. ALTER TABLE my_log ALTER decided_at TYPE TIMESTAMP.'
        )
        -- '+00' is the zone.
        ELSE greatest(
            now() AT TIME ZONE 'UTC',
            _sf_moment + CASE typeof(_sf_given)
                WHEN 'TIMESTAMP_S' THEN INTERVAL 1 SECOND
                WHEN 'TIMESTAMP_MS' THEN INTERVAL 1 MILLISECOND
                ELSE INTERVAL 1 MICROSECOND
            END
        )::VARCHAR || CASE
            WHEN typeof(_sf_given) IN ('TIMESTAMP WITH TIME ZONE', 'TIMESTAMPTZ_NS') THEN '+00' ELSE ''
        END
    END,
    -- Never of type NULL, of which DuckDB would complain before we can say that there is no such column.
    CASE WHEN typeof(_sf_given) = '"NULL"' THEN '' ELSE _sf_given END
) AS decided_at
FROM _sf_latest;
