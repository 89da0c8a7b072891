-- Internal: whether a decision is a person's: what auto_corrections proposes waits for one. The same as
-- review/decisions.py says.
_sf_is_person(decided_by) AS ((decided_by) IS DISTINCT FROM 'auto_corrections');
