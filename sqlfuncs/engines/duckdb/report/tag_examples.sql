-- title: Tags that are most likely wrong or missing
-- answers: Of the changes that are suggested most often, the rows where the model is surest.
-- param is_image boolean = false: whether rows are images
-- param changes integer = 8: how many changes
-- param count integer = 3: how many rows of each

WITH often AS (
    SELECT change, tag, count(*) AS flagged FROM report_changes GROUP BY ALL
    ORDER BY flagged DESC, change, tag LIMIT {{ changes | literal }}
), ranked AS (
    SELECT *, row_number() OVER (PARTITION BY change, tag ORDER BY likely DESC, key) AS place
    FROM report_changes JOIN often USING (change, tag)
)
SELECT change, tag, key, {% if is_image %}NULL::VARCHAR AS {% endif %}shown, given, likely
FROM ranked WHERE place <= {{ count | literal }}
ORDER BY flagged DESC, change, tag, place;
