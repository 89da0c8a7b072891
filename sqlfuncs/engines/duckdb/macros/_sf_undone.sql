-- Internal: the moment of the step that a decision takes back, as its reason tells it; NULL for one that
-- takes nothing back. The same as review/decisions.py says.
_sf_undone(reason) AS (CASE WHEN starts_with(reason, 'undo of ') THEN substr(reason, 9) END);
