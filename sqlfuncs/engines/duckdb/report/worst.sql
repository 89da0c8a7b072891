-- title: The rows with the most doubtful labels
-- answers: The lowest label quality first, with what was decided about each.
-- param table table: the table that is reviewed
-- param key column: the column that names a row
-- param text column: what a row says
-- param is_image boolean = false: whether that is an image
-- param is_words boolean = false: whether labels are of words; then those of flagged words are shown
-- param beside list = : more columns of label_issues
-- param count integer = 20: how many rows

SELECT
    key,
    {% if is_words %}
    [coalesce(w.word, 'word ' || w.position) || ': ' || w.given FOR w IN word_issues[:5]] AS given,
    [coalesce(w.word, 'word ' || w.position) || ': ' || w.suggested FOR w IN word_issues[:5]] AS suggested,
    {% else %}
    label::VARCHAR AS given,
    suggested_label::VARCHAR AS suggested,
    {% endif %}
    {% for each in beside or [] %}
    {{ each | ident }},
    {% endfor %}
    label_quality,
    action AS decided,
    CASE WHEN action = 'relabel' THEN left(new_label, 400) END AS new_label,
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
