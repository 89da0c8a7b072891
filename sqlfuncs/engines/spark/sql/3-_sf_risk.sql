-- Internal: the risk at which a reviewed sample released a correction, of its reason. As DuckDB's.
_sf_risk(reason STRING)
RETURNS DOUBLE
RETURN try_cast(regexp_extract(reason, r'at a risk of ([0-9.e-]+)(?:; applied by .*)?$', 1) AS DOUBLE);
