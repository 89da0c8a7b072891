-- Internal: a moment of a decision log in UTC, as TIMESTAMP. A TIMESTAMP without a zone is taken to be
-- in UTC, a DATE to be its first moment. What is no moment in time is an error that says what to type:
-- text has an order, too, but not that of time ('9/28/2026' comes after '10/2/2026').
_sf_moment(given) AS (
    CASE
        WHEN typeof(given) IN ('TIMESTAMP WITH TIME ZONE', 'TIMESTAMPTZ_NS')
        THEN TRY_CAST(given AS TIMESTAMPTZ) AT TIME ZONE 'UTC'
        WHEN typeof(given) IN ('TIMESTAMP', 'TIMESTAMP_S', 'TIMESTAMP_MS', 'TIMESTAMP_NS', 'DATE')
        THEN TRY_CAST(given AS TIMESTAMP)
        WHEN typeof(given) = '"NULL"' THEN error(
            'nothing was applied: the decision log has no column decided_at, or it is NULL in all rows. The latest '
            || 'decision about a row wins, so each needs its moment: decided_at TIMESTAMP, in UTC.'
        )
        ELSE error(
            'nothing was applied: decided_at of the decision log is ' || typeof(given) || ', which has no order in '
            || 'time. It has to be TIMESTAMP: ALTER TABLE my_log ALTER decided_at TYPE TIMESTAMP USING '
            || 'strptime(decided_at, ''%m/%d/%Y %H:%M''), or USING decided_at::TIMESTAMP for text such as '
            || '2026-09-28 10:00.'
        )
    END
);
