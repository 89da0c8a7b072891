-- Internal: maps with text for keys, in DuckDB's own words whatever their type; all else as it is.
_sf_text_keys(given MAP(VARCHAR, DOUBLE)) AS given, (given) AS given;
