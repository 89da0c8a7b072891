-- title: When one may stop
-- answers: Wrong labels that are left after so many reviewed rows, worst first, with the 95 % interval.

WITH drawn AS (
    SELECT key FROM report_rows WHERE is_random
)
SELECT reviewed, errors_left, errors_left_low, errors_left_high, "precision"
FROM review_curve(report_rows, report_people, key, label, sample := drawn, points := 20);
