-- title: Words whose labels are most likely wrong
-- answers: Of the changes that are suggested most often, the words where the model is surest, among those beside them.
-- param changes integer = 8: how many changes
-- param count integer = 3: how many words of each
-- param around integer = 12: how many words are shown on both sides

WITH often AS (
    SELECT given, suggested, count(*) AS flagged FROM report_words GROUP BY ALL
    ORDER BY flagged DESC, given, suggested LIMIT {{ changes | literal }}
), ranked AS (
    SELECT *, row_number() OVER (PARTITION BY given, suggested ORDER BY quality, key, position) AS place
    FROM report_words JOIN often USING (given, suggested)
)
SELECT
    given,
    suggested,
    key,
    array_to_string(words[greatest(position - {{ around | literal }}, 1):position - 1], ' ') AS before,
    word,
    array_to_string(words[position + 1:position + {{ around | literal }}], ' ') AS after,
    position,
    quality
-- Probabilities do not say of which words they are.
FROM ranked JOIN (
    SELECT key, CASE WHEN typeof(x) = 'VARCHAR[]' THEN x::VARCHAR[] END AS words FROM report_rows
) USING (key)
WHERE place <= {{ count | literal }}
ORDER BY flagged DESC, given, suggested, place;
