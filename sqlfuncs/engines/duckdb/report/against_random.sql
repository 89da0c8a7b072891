-- title: Reviewed against reviewed at random
-- answers: How much of the gain comes from which rows were reviewed, and not from reviewing any?
-- param score text = accuracy: the column of evaluate by which models are measured
-- param task text = auto: as in compare_models

SELECT n, {{ (score ~ '_before') | ident }}, {{ (score ~ '_after') | ident }}, difference, difference_low, difference_high, p_value
FROM compare_models(report_said, actual, randomly_reviewed, reviewed, task := {{ task | literal }});
