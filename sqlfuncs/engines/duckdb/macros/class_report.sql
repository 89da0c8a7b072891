-- A row per class, in order: class, precision, recall, f1 and support (rows of that class).
-- A ratio without a case is 0, as in scikit-learn.
class_report(tbl, actual, predicted) AS TABLE
SELECT
    _sf_class AS class,
    _sf_precision AS precision,
    _sf_recall AS recall,
    _sf_f1 AS f1,
    _sf_support AS support
FROM sqlfuncs.main._sf_class_counts(tbl, actual, predicted)
ORDER BY try_cast(_sf_class AS DOUBLE) NULLS LAST, _sf_class;
