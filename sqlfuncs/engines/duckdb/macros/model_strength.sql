-- Whether the model behind a label_issues result knows enough to correct labels, in one row:
-- judged (rows), agreement of its out-of-sample predictions with the given labels and the
-- lower end of its 95 % interval, majority (the share of the commonest label: what knowing
-- nothing agrees with), kappa (agreement beyond chance, 1 is perfect), noise (the estimated share
-- of wrong labels among the rows the model is surest of), can_judge, and reason (NULL where it can).
model_strength(issues, label, task := 'auto') AS TABLE
WITH _sf_issues AS (
    FROM sqlfuncs.main._sf_found(issues, 'model_strength', ['class_probs', 'not_judged'])
)
FROM sqlfuncs.main._strength(
    _sf_issues, label, sqlfuncs.main._sf_probs(class_probs), not_judged, task := task
);
