-- title: The rows with the most doubtful labels
-- answers: The lowest label quality first, with what was decided about each.
-- param table table: the table that is reviewed
-- param key column: the column that names a row
-- param text column: what a row says
-- param is_image boolean = false: whether that is an image
-- param beside list = : more columns of label_issues
-- param count integer = 20: how many rows

SELECT
    key,
    label::VARCHAR AS given,
    suggested_label::VARCHAR AS suggested,
    {% for each in beside or [] %}
    {{ each | ident }},
    {% endfor %}
    label_quality,
    action AS decided,
    CASE WHEN action = 'relabel' THEN new_label END AS new_label,
    {% if is_image %}
    (SELECT any_value({{ text | ident }}) FROM {{ table | ident }} AS t
        WHERE t.{{ key | ident }}::VARCHAR = report_rows.key) AS picture
    {% else %}
    shown
    {% endif %}
FROM report_rows
WHERE label_quality IS NOT NULL
ORDER BY label_quality, key
LIMIT {{ count | literal }};
