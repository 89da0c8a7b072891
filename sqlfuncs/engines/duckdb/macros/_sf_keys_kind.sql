-- Internal: the kind (as _sf_kind) of the keys of a type of maps; 'text' for what is no map, 'null' for no type.
_sf_keys_kind(of_type) AS (
    CASE
        WHEN of_type = '"NULL"' THEN 'null'
        WHEN starts_with(of_type, 'MAP(')
        THEN sqlfuncs.main._sf_kind(regexp_extract(of_type, '^MAP\((.*), .*\)$', 1))
        ELSE 'text'
    END
);
