-- Decisions to propose, as rows of a decision log, from a label_issues result: key, action,
-- old_label, new_label, decided_by, reason, decided_at (in UTC). Candidates are the flagged rows
-- whose suggestion is more likely right than the given label once the noise in the labels is
-- reckoned in, and at least `min_confidence` likely. `action` is 'relabel', or 'exclude' to drop
-- those rows instead.
-- With a decision `log`, what people decided of a random sample of the candidates tells how many
-- of the others to correct: as many as gain, with a chance of at most `risk` that they do not; or,
-- with `precision`, as many as are right for such a share, at the same risk. The test holds
-- whenever one looks (review_queue(..., purpose := 'verify') gives the sample). What a person has
-- decided is not proposed again, and nothing of rows that have no key.
-- Of labels that are numbers a suggestion is right if the true number is nearer to it than to the one
-- given: that always takes reviewed rows to show.
-- Without enough reviewed rows the probabilities alone decide: nothing is proposed where the model
-- is too weak to judge, or the labels show too little noise to tell it from the model's own errors.
auto_corrections(
    issues, key, label, action := 'relabel', min_confidence := 0.0, log := NULL, risk := 0.05,
    "precision" := NULL, task := 'auto'
) AS TABLE
FROM sqlfuncs.main._sf_auto_corrections(
    issues, key, label, action := action, min_confidence := min_confidence, log := log,
    risk := risk, "precision" := "precision", task := task
);
