-- title: The models behind these figures
-- answers: What was trained, on how many rows, and how long that took.
-- param labels list = given,pruned,auto_corrected,reviewed,randomly_reviewed: what was trained on

WITH trained AS (
    {% for each in labels %}
    {% if not loop.first %}
    UNION ALL
    {% endif %}
    SELECT {{ each | literal }} AS labels, model AS pinned FROM {{ ('report_trained_' ~ each) | ident }}
    {% endfor %}
)
SELECT pinned AS model, labels, base, "rows", round(seconds, 1) AS seconds, bytes, created_at
FROM trained JOIN models() AS m ON pinned = m.model || '@' || m.version
ORDER BY list_position({{ labels | literal }}, labels);
