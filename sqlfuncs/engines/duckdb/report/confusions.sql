-- title: What is taken for what
-- answers: Flagged rows by the label given and the label suggested, and how many reviewed ones were wrong.

SELECT
    label AS given,
    suggested_label AS suggested,
    count(*) AS flagged,
    count(*) FILTER (is_decided) AS reviewed,
    count(*) FILTER (is_wrong) AS wrong
FROM report_rows
WHERE is_label_issue AND suggested_label IS NOT NULL
GROUP BY ALL
ORDER BY flagged DESC, given, suggested;
