-- What label_issues would say of rows that come later: a STRUCT with its columns, label_quality,
-- is_label_issue, suggested_label, suggested_confidence, predicted_label, class_probs and not_judged,
-- by the judge that label_issues(..., judge := 'name') has kept. Nothing is learned: each row is judged
-- by itself, whatever stands beside it, and one that was in the table by models that did not see it.
-- `x` is of the kind that was learned from, text or an embedding; `name@2` pins a version.
judge_labels(x, label, judge := NULL) AS (
    list_transform(
        [
            _sf_judged_labels(
                x,
                sqlfuncs.main._sf_label(label),
                sqlfuncs.main._sf_kind(typeof(label)),
                judge,
                _sf_instance(),
                current_connection_id()
            )
        ],
        lambda _sf_j: {
            label_quality: _sf_j.label_quality,
            is_label_issue: _sf_j.is_label_issue,
            suggested_label: TRY(cast_to_type(_sf_j.suggested_label, sqlfuncs.main._sf_typed(label))),
            suggested_confidence: _sf_j.suggested_confidence,
            predicted_label: TRY(cast_to_type(_sf_j.predicted_label, sqlfuncs.main._sf_typed(label))),
            class_probs: _sf_j.class_probs,
            not_judged: _sf_j.not_judged
        }
    )[1]
);
