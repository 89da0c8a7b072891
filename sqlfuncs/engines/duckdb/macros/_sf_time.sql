-- Internal: the text of a value as a time without a zone, by which texts are compared with times; NULL
-- for what is none. Years that nanoseconds do not reach have microseconds.
_sf_time(given) AS (
    coalesce(
        TRY_CAST((given)::VARCHAR AS TIMESTAMP_NS)::VARCHAR,
        TRY_CAST((given)::VARCHAR AS TIMESTAMP)::VARCHAR
    )
);
