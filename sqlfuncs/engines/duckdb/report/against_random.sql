-- title: Reviewed against reviewed at random
-- answers: How much of the gain comes from which rows were reviewed, and not from reviewing any?

SELECT n, accuracy_before, accuracy_after, difference, difference_low, difference_high, p_value
FROM compare_models(report_said, actual, randomly_reviewed, reviewed);
