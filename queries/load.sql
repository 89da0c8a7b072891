-- title: Load a file
-- answers: How does a CSV, Parquet or JSON file become a table, and what is in it?
-- param file text: path of the file
-- param table table = train: the table to make; one of that name is replaced
-- param number_rows column = : a key column to add, numbering the rows from 1
-- param encoding text = : of a CSV file that is not UTF-8: latin-1 or utf-16
-- param header boolean = : whether the first row of a CSV file holds the names; by default what it looks like

{% if not file %}{{ refuse("file is the path of a file: file=rows.csv") }}{% endif %}
CREATE OR REPLACE TEMP VIEW _loading AS
{% if encoding or header is not none %}
FROM read_csv(
    {{ file | literal }}
    {% if encoding %}
    , encoding := {{ encoding | literal }}
    {% endif %}
    {% if header is not none %}
    , header := {{ header | literal }}
    {% endif %}
);
{% else %}
FROM {{ file | literal }};
{% endif %}

-- What was read otherwise than it was meant is said before a table is replaced.
SET VARIABLE sf_loading = (
    SELECT CASE
        WHEN bool_or(contains(column_name, chr(0)) OR starts_with(column_name, 'ï»¿')) THEN error(
            'the names of the columns show that the file has another encoding: UTF-8 (leave encoding out), or encoding=utf-16'
        )
        WHEN count(*) = 1 AND regexp_matches(any_value(column_name), '[,;|\t]') THEN error(
            'the file would become one column, ' || any_value(column_name) || ': a row has more or fewer parts than '
            || 'the first one, such as text with a separator in it that is not in quotes. Nothing was replaced.'
        )
        {% if (".csv" in file | lower or ".tsv" in file | lower) and "*" not in file %}
        WHEN (SELECT SkipRows FROM sniff_csv({{ file | literal }}{% if encoding %}, encoding := {{ encoding | literal }}{% endif %})) > 0
        THEN error(
            'the first row would be left out: another has more parts, such as text with a separator in it that is not in '
            || 'quotes, or a column without a name. If it is no row: CREATE TABLE ... AS FROM read_csv(''...'', skip := 1). '
            || 'Nothing was replaced.'
        )
        {% endif %}
        {% if header is none %}
        WHEN bool_and(regexp_full_match(column_name, 'column\d+')) AND (
            SELECT starts_with(row_text, '{''column0'': NULL') OR starts_with(row_text, '{''column0'': ,')
            FROM (SELECT (l)::VARCHAR AS row_text FROM _loading AS l LIMIT 1)
        ) THEN error(
            'the first row begins with nothing, so it cannot be told whether it holds the names, as where pandas has '
            || 'written its index: header=true if it does (column0 is the index then), header=false if it does not'
        )
        {% endif %}
    END
    FROM (DESCRIBE FROM _loading)
);
{% if number_rows %}

SET VARIABLE sf_loading = (
    SELECT CASE WHEN bool_or(lower(column_name) = lower({{ number_rows | literal }})) THEN error(
        'the file has a column ' || any_value(column_name) FILTER (lower(column_name) = lower({{ number_rows | literal }}))
        || ' already: leave number_rows out, or name another'
    ) END
    FROM (DESCRIBE FROM _loading)
);

-- Decisions name rows by their numbers: where there are some, a number goes on meaning the same row.
CREATE TABLE IF NOT EXISTS {{ table | ident }} AS
SELECT row_number() OVER () AS {{ number_rows | ident }}, * FROM _loading LIMIT 0;

SET VARIABLE sf_log = (
    SELECT min(table_name) FROM (
        SELECT table_name
        FROM duckdb_columns() JOIN duckdb_tables() USING (database_name, schema_name, table_name)
        WHERE database_name = current_database() AND estimated_size > 0
        GROUP BY ALL
        HAVING count(*) FILTER (lower(column_name) IN ('key', 'action', 'decided_at')) = 3
    )
);

-- The file is read for this only where there is a log: a variable is a constant to a plan.
SET VARIABLE sf_loading = (
    SELECT error(
        'nothing was replaced: a row of ' || {{ table | literal }} || ', ' || left(old_row, 200) || ', would be another one '
        || 'under its number, and ' || getvariable('sf_log') || ' holds decisions, which are about numbers. Load the file as '
        || 'another table (table=...), or give it a key of its own. If each number still means the same row: DROP TABLE first'
    )
    FROM (SELECT (_old)::VARCHAR AS old_row FROM {{ table | ident }} AS _old WHERE getvariable('sf_log') IS NOT NULL)
    POSITIONAL JOIN (
        SELECT (_new)::VARCHAR AS new_row
        FROM (SELECT row_number() OVER () AS {{ number_rows | ident }}, * FROM _loading) AS _new
        WHERE getvariable('sf_log') IS NOT NULL
    )
    WHERE old_row <> new_row LIMIT 1
);
{% endif %}

CREATE OR REPLACE TABLE {{ table | ident }} AS
SELECT {% if number_rows %}row_number() OVER () AS {{ number_rows | ident }}, {% endif %}* FROM _loading;

DROP VIEW _loading;

WITH given AS (SELECT count(COLUMNS(*)) FROM {{ table | ident }}), "all" AS (
    SELECT count(*) AS "rows" FROM {{ table | ident }}
), shown AS (
    FROM (DESCRIBE FROM {{ table | ident }})
    POSITIONAL JOIN (SELECT unnest(list_value(*COLUMNS(*))) AS n FROM given)
)
SELECT column_name, column_type, "rows",
    coalesce(100 * (1 - n / nullif("rows", 0)), 0)::DECIMAL(9, 2) AS null_percentage
FROM shown CROSS JOIN "all";
