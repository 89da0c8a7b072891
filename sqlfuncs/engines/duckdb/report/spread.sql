-- title: How labels lie, and how far off they are
-- answers: How many labels, and how many differences to what was foreseen, lie where, and which of them are flagged.
-- param bins integer = 30: how many bars, where there are as many different values

-- The first and the last bar hold what lies beyond, too: one in 200, or what is farther out than three times
-- the quartiles are apart (Tukey, Exploratory Data Analysis, 1977).
WITH judged AS (
    SELECT label::DOUBLE AS labels, label::DOUBLE - predicted_label::DOUBLE AS residuals, is_label_issue AS is_flagged
    FROM report_rows WHERE label_quality IS NOT NULL
), listed AS (
    SELECT 'labels' AS what, labels AS value, is_flagged FROM judged
    UNION ALL
    SELECT 'residuals', residuals, is_flagged FROM judged
), ends AS (
    SELECT
        what,
        quantile_cont(value, [0.005, 0.25, 0.75, 0.995]) AS q,
        CASE WHEN q[3] > q[2] THEN 3 * (q[3] - q[2]) ELSE q[4] - q[1] END AS far,
        greatest(q[1], q[2] - far) AS low,
        least(q[4], q[3] + far) AS high,
        CASE WHEN high > low THEN least({{ bins | literal }}, count(DISTINCT value)) ELSE 1 END AS bins
    FROM listed GROUP BY what
), placed AS (
    SELECT *, CASE WHEN high > low THEN least(bins - 1, greatest(0, floor((value - low) / (high - low) * bins))) ELSE 0 END AS place
    FROM listed JOIN ends USING (what)
)
SELECT
    what,
    low + place * (high - low) / bins AS "from",
    low + (place + 1) * (high - low) / bins AS "to",
    count(*) AS "rows",
    count(*) FILTER (is_flagged) AS flagged
FROM placed
GROUP BY what, place, low, high, bins
ORDER BY what, place;
