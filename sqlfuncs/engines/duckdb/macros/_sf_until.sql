-- Internal: the moment that somebody names, in UTC. Without a zone it is taken as the moments of the log
-- are: in the session's zone, where those have one, else in UTC.
_sf_until(named, has_zone) AS (
    CASE
        WHEN has_zone
            OR typeof(named) IN ('TIMESTAMP WITH TIME ZONE', 'TIMESTAMPTZ_NS')
            OR regexp_matches((named)::VARCHAR, ':\d\d(:\d\d(\.\d+)?)?\s*[-+A-Za-z]')
        THEN CAST(named AS TIMESTAMPTZ) AT TIME ZONE 'UTC'
        ELSE CAST(named AS TIMESTAMP)
    END
);
