-- title: How many labels of words are wrong, by label
-- answers: Of the words that have a label, how many should not, with the least and the most it may be?
-- param model text = fast: as in label_issues
-- param task text = token_classification: as in label_issues

SELECT label[1] AS label, "rows" AS words, flagged, error_rate, error_rate_low, error_rate_high,
    confused_with[1] AS confused_with
FROM label_health(report_rows, x, label, model := {{ model | literal }}, task := {{ task | literal }})
ORDER BY flagged DESC, words DESC, label;
