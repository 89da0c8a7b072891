-- title: How many labels are wrong, by class
-- answers: The estimated share of wrong labels in each class, with the least and the most it may be.
-- param is_sampled boolean = false: whether enough rows that were drawn at random are decided

-- The same probabilities again, and so nothing is learned twice.
CREATE OR REPLACE TEMP TABLE report_health AS
FROM label_health(
    report_rows, class_probs, label{% if is_sampled %}, key := key, log := report_people{% endif %}
);

SELECT label AS class, "rows", flagged, error_rate, error_rate_low, error_rate_high, confused_with
FROM report_health
ORDER BY error_rate DESC NULLS LAST, class;
