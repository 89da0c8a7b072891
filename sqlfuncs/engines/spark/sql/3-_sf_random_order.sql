-- Internal: what rows are sorted by to be drawn at random. As DuckDB's.
_sf_random_order(key STRING)
RETURNS STRING
RETURN md5('review ' || key);
