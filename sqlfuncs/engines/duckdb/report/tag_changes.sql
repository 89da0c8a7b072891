-- title: Which tags are wrong, and which are missing
-- answers: Flagged tags by what to do with them, and how often people did so where they have looked.

CREATE OR REPLACE TEMP TABLE report_changes AS
WITH flags AS (
    SELECT key, 'take away' AS change, unnest(wrong_tags) AS tag FROM report_named
    UNION ALL
    SELECT key, 'add', unnest(missing_tags) FROM report_named
)
SELECT
    flags.*,
    shown,
    label::VARCHAR AS given,
    1 - tag_qualities[tag] AS likely,
    coalesce(action IN ('relabel', 'keep'), false) AS is_reviewed,
    is_reviewed AND action = 'relabel'
        AND (change = 'add') = list_contains(list_transform(new_label::VARCHAR[], lambda t: nfc_normalize(t)), tag)
        AS is_done
FROM flags JOIN report_named USING (key);

SELECT change, tag, count(*) AS flagged, count(*) FILTER (is_reviewed) AS reviewed, count(*) FILTER (is_done) AS done
FROM report_changes
GROUP BY ALL
ORDER BY flagged DESC, change, tag;
