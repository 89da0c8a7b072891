-- Internal: the name of a table as a caller gives it; where it cannot be told what was meant, words on
-- what to write, which DuckDB then says is no table. It reads "user" and the like as values of the
-- session before anything of ours sees them, and hands on a bare name without its quotes.
_sf_table(tbl) AS (
    CASE
        WHEN typeof(tbl) <> 'VARCHAR' THEN
            '"' || replace(tbl::VARCHAR, '"', '""') || ' (' || typeof(tbl) || ', which names no table. '
            || 'Call the table input: WITH input AS (FROM ...) FROM function(input, ...)"'
        WHEN tbl IN (current_user(), 'main') THEN
            '"' || tbl::VARCHAR || ' (as DuckDB reads ""user"", ""current_user"", ""session_user"" and '
            || '""current_schema"", too, so that it cannot be told which table is meant. '
            || 'Call it input: WITH input AS (FROM ""..."") FROM function(input, ...))"'
        -- No name as SQL writes it: a bare one with a quote in it.
        WHEN contains(tbl::VARCHAR, '"')
            AND NOT regexp_full_match(tbl::VARCHAR, '("([^"]|"")+"|[^".]+)(\.("([^"]|"")+"|[^".]+))*')
        THEN '"' || replace(tbl::VARCHAR, '"', '""') || '"'
        ELSE tbl::VARCHAR
    END
);
