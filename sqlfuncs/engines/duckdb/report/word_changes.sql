-- title: What flagged words are given, and what they should have
-- answers: Flagged words by their labels, and how often people gave the one suggested where they have looked.

CREATE OR REPLACE TEMP TABLE report_words AS
SELECT
    key,
    issue.*,
    coalesce(action IN ('relabel', 'keep'), false) AS is_reviewed,
    is_reviewed AND action = 'relabel' AND (new_label::VARCHAR[])[issue.position] = issue.suggested AS is_done
FROM (SELECT *, unnest(word_issues) AS issue FROM report_rows);

SELECT given, suggested, count(*) AS flagged, count(*) FILTER (is_reviewed) AS reviewed,
    count(*) FILTER (is_done) AS done
FROM report_words
GROUP BY ALL
ORDER BY flagged DESC, given, suggested;
