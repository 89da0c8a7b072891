-- title: Load a file
-- answers: How does a CSV, Parquet or JSON file become a table, and what is in it?
-- param file text: path of the file
-- param table table = train: the table to make; one of that name is replaced
-- param number_rows column = : a key column to add, numbering the rows from 1

CREATE OR REPLACE TABLE {{ table | ident }} AS
SELECT {% if number_rows %}row_number() OVER () AS {{ number_rows | ident }}, {% endif %}*
FROM {{ file | literal }} AS f
{% if number_rows %}
WHERE CASE
    WHEN list_contains(struct_keys(f), {{ number_rows | literal }})
    THEN error(
        'the file has a column ' || {{ number_rows | literal }} || ' already: leave number_rows out, or name another'
    )
    ELSE true
END
{% endif %};

SELECT column_name, column_type, count AS "rows", null_percentage
FROM (SUMMARIZE {{ table | ident }});
