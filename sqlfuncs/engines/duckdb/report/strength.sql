-- title: Whether the model knows enough to correct labels
-- answers: If not, auto_corrections proposes nothing.

SELECT can_judge, reason FROM model_strength(report_rows, label);
