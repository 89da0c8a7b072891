-- Internal: an answer as the text of the type of the label. As DuckDB's where both are of one type.
_sf_in_words(given STRING, label STRING)
RETURNS STRING
RETURN given;
