-- title: Accuracy, where the test labels are wrong too
-- answers: By the test labels as they are, and corrected by those test rows that people have reviewed at random.
-- param labels list = given,pruned,auto_corrected,reviewed,randomly_reviewed: columns of report_seen

{% for each in labels %}
{% if not loop.first %}
UNION ALL
{% endif %}
SELECT {{ each | literal }} AS labels, * FROM evaluate_noisy(report_seen, actual, {{ each | ident }}, seen)
{% endfor %};
