-- title: How many labels are wrong, by tag
-- answers: Of the rows that have a tag, how many should not, and how many lack it that should have it?

-- What label_health has, from the probabilities that are there already.
CREATE OR REPLACE TEMP TABLE report_named AS
SELECT *, list_transform(label, lambda tag: nfc_normalize(tag)) AS named FROM report_rows;

WITH likely AS (
    SELECT entry.key AS tag, entry.value AS quality, list_contains(named, entry.key) AS is_given,
        list_contains(wrong_tags, entry.key) AS is_wrong, list_contains(missing_tags, entry.key) AS is_missing
    FROM (SELECT *, unnest(map_entries(tag_qualities)) AS entry FROM report_named)
), given AS (
    SELECT tag, count(*) AS "rows"
    FROM (SELECT DISTINCT key, unnest(named) AS tag FROM report_named WHERE not_judged IS NULL)
    GROUP BY tag
), judged AS (
    SELECT
        tag AS _tag,
        count(*) FILTER (is_wrong) AS flagged,
        avg(1 - quality) FILTER (is_given) AS error_rate,
        count(*) FILTER (is_missing) AS missing,
        coalesce(sum(1 - quality) FILTER (NOT is_given), 0) AS wrongly_elsewhere
    FROM likely GROUP BY tag
)
SELECT coalesce(tag, _tag) AS tag, coalesce("rows", 0) AS "rows", coalesce(flagged, 0) AS flagged, error_rate,
    coalesce(missing, 0) AS missing, wrongly_elsewhere
FROM given FULL JOIN judged ON tag = _tag
ORDER BY flagged + missing DESC, tag;
