-- Internal: who applied what auto_corrections proposed, as the reason tells it; NULL for what nobody did. The
-- same as review/decisions.py says.
_sf_applied_by(reason) AS (nullif(regexp_extract(reason, '(?s).*; applied by (.*)$', 1), ''));
