-- Internal: an argument that has to be a column; a constant in quotes is a column misspelt.
_sf_bare(argument) AS (
    CASE
        WHEN starts_with(alias(argument), '''') THEN error(
            alias(argument) || ' is a constant text, not a column. '
            || 'A column is written bare, or in double quotes: "' || trim(alias(argument), '''') || '"'
        )
        ELSE argument
    END
);
