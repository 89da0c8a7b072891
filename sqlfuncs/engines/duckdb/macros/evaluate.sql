-- How well predictions agree with the true labels, in one row: n, correct, accuracy with its
-- 95 % Wilson interval, macro_f1 and weighted_f1. Rows without a true label are left out; a
-- NULL prediction is a wrong one.
evaluate(tbl, actual, predicted) AS TABLE
SELECT
    sum(_sf_support)::BIGINT AS n,
    sum(_sf_hits)::BIGINT AS correct,
    (sum(_sf_hits) / sum(_sf_support))::DOUBLE AS accuracy,
    sqlfuncs.main._sf_wilson(sum(_sf_hits), sum(_sf_support), -1) AS accuracy_low,
    sqlfuncs.main._sf_wilson(sum(_sf_hits), sum(_sf_support), 1) AS accuracy_high,
    avg(_sf_f1) AS macro_f1,
    (sum(_sf_f1 * _sf_support) / sum(_sf_support))::DOUBLE AS weighted_f1
FROM sqlfuncs.main._sf_class_counts(tbl, actual, predicted);
