-- Internal: what is a map of class to probability, as that type; NULL for anything else.
_sf_map(given MAP(VARCHAR, DOUBLE)) AS given, (given) AS NULL::MAP(VARCHAR, DOUBLE);
