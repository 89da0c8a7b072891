-- Internal: a value that may be NULL without a type, which cannot be cast to: then it is one of BIT.
_sf_typed(given BIT) AS given, (given) AS given;
