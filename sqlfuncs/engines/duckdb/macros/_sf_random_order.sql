-- Internal: what rows are sorted by to be drawn at random: the same for everybody, every time, so that
-- what is decided of it without a gap is a sample. The same as learning/detection/sampling.py says.
_sf_random_order(key) AS (md5('review ' || (key)::VARCHAR));
