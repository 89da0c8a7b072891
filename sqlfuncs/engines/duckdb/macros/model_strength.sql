-- Whether the model behind a label_issues result knows enough to correct labels, in one row:
-- judged (rows), agreement of its out-of-sample predictions with the given labels and the
-- lower end of its 95 % interval, majority (the share of the commonest label: what knowing
-- nothing agrees with), can_judge, and reason (NULL where it can).
model_strength(issues, label) AS TABLE
WITH _sf_judged AS (
    SELECT sqlfuncs.main._sf_bare(label)::VARCHAR AS _sf_label, predicted_label::VARCHAR AS _sf_predicted
    FROM query_table(issues) AS _sf_in
    WHERE not_judged IS NULL
), _sf_counted AS (
    SELECT
        count(*) AS _sf_n,
        count(*) FILTER (_sf_label = _sf_predicted) AS _sf_agreeing
    FROM _sf_judged
), _sf_commonest AS (
    SELECT max(_sf_n) AS _sf_most
    FROM (SELECT count(*) AS _sf_n FROM _sf_judged GROUP BY _sf_label)
), _sf_measured AS (
    SELECT
        _sf_n,
        _sf_agreeing / nullif(_sf_n, 0) AS _sf_agreement,
        CASE WHEN _sf_n > 0 THEN sqlfuncs.main._sf_wilson(_sf_agreeing, _sf_n, -1) END AS _sf_low,
        _sf_most / nullif(_sf_n, 0) AS _sf_majority
    FROM _sf_counted, _sf_commonest
)
SELECT
    _sf_n AS judged,
    _sf_agreement AS agreement,
    _sf_low AS agreement_low,
    _sf_majority AS majority,
    coalesce(_sf_low > _sf_majority, false) AS can_judge,
    CASE
        WHEN _sf_n = 0 THEN 'no row was judged'
        WHEN _sf_low > _sf_majority THEN NULL
        ELSE printf(
            'the model is too weak to judge: it agrees with %.1f %% of the labels (at least %.1f '
            || '%%, by its interval); always saying the commonest label agrees with %.1f %%',
            100 * _sf_agreement, 100 * _sf_low, 100 * _sf_majority
        )
    END AS reason
FROM _sf_measured;
