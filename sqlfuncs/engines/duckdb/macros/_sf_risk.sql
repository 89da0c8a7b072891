-- Internal: the risk at which a reviewed sample released a correction, as its reason tells it; NULL for
-- one that rests on the probabilities alone. The same as functions/proposals.py says, and
-- review/decisions.py of one that somebody applied.
_sf_risk(reason) AS (TRY_CAST(regexp_extract(reason, 'at a risk of ([0-9.e-]+)(?:; applied by .*)?$', 1) AS DOUBLE));
