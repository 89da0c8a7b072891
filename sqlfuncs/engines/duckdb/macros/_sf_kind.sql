-- Internal: what values of a type (as typeof says it) are as labels: 'text', 'json', 'integer',
-- 'decimal', 'float', 'boolean', 'time', 'instant', 'null' (no type), 'nested' (more than one value:
-- no label) or 'plain' (compared as the type's own text).
_sf_kind(of_type) AS (
    CASE
        WHEN ends_with(of_type, ']') OR regexp_matches(of_type, '^(STRUCT|MAP|UNION)\(')
            OR of_type IN ('VARIANT', 'GEOMETRY', 'INTERVAL')
        THEN 'nested'
        WHEN of_type = 'VARCHAR' OR starts_with(of_type, 'ENUM(') THEN 'text'
        WHEN of_type = 'JSON' THEN 'json'
        WHEN regexp_full_match(of_type, 'U?(TINY|SMALL|BIG|HUGE)INT|U?INTEGER|BIGNUM') THEN 'integer'
        WHEN starts_with(of_type, 'DECIMAL(') THEN 'decimal'
        WHEN of_type IN ('FLOAT', 'DOUBLE') THEN 'float'
        WHEN of_type = 'BOOLEAN' THEN 'boolean'
        WHEN of_type = 'DATE' OR regexp_full_match(of_type, 'TIMESTAMP(_S|_MS|_NS)?') THEN 'time'
        WHEN of_type = 'TIMESTAMP WITH TIME ZONE' THEN 'instant'
        WHEN of_type = '"NULL"' THEN 'null'
        ELSE 'plain'
    END
);
