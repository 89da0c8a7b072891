-- title: How many numbers are wrong
-- answers: How many lie outside of what is possible, how many are wrong, and how near are they foreseen?
-- param is_sampled boolean = false: whether enough rows that were drawn at random are decided
-- param task text = regression: as in evaluate

-- What label_health has, from what was judged already. mae and r2 are of numbers foreseen by models that
-- did not see them, against the labels as given, wrong ones among them.
WITH judged AS (
    SELECT count(*) AS "rows", count(*) FILTER (is_label_issue) AS flagged, avg(1 - label_quality) AS expected
    FROM report_rows WHERE label_quality IS NOT NULL
), drawn AS (
    SELECT count(*) FILTER (is_random) AS looked_at, count(*) FILTER (is_random AND is_wrong) AS wrong
    FROM report_rows
), known AS (
    FROM report_rows WHERE label_quality IS NOT NULL
), foreseen AS (
    SELECT mae, r2 FROM evaluate(known, label, predicted_label, task := {{ task | literal }})
)
SELECT
    "rows",
    flagged,
    flagged / nullif("rows", 0) AS flagged_share,
    {% if is_sampled %}
    wrong / looked_at AS error_rate,
    sqlfuncs.main._sf_wilson(wrong, looked_at, -1) AS error_rate_low,
    sqlfuncs.main._sf_wilson(wrong, looked_at, 1) AS error_rate_high,
    {% else %}
    expected AS error_rate,
    NULL::DOUBLE AS error_rate_low,
    NULL::DOUBLE AS error_rate_high,
    {% endif %}
    mae,
    r2
FROM judged, drawn, foreseen;
