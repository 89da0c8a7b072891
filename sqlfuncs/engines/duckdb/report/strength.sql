-- title: Whether the model knows enough to correct labels
-- answers: If not, auto_corrections proposes nothing.
-- param task text = auto: as in model_strength

SELECT can_judge, reason FROM model_strength(report_rows, label, task := {{ task | literal }});
