-- Internal: whether a decision is a person's. As DuckDB's.
_sf_is_person(decided_by STRING)
RETURNS BOOLEAN
RETURN decided_by IS DISTINCT FROM 'auto_corrections';
