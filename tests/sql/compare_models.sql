-- case: the example of Altman et al., Statistics with Confidence (2000), table 6.2
CREATE TABLE t AS SELECT 'a' AS actual, if(i < 14, 'a', 'b') AS before, if(i < 19, 'a', 'b') AS after
FROM range(41) r(i);
SELECT n, round(difference, 3), round(difference_low, 3), round(difference_high, 3),
    round(error_reduction, 3), only_before_right, only_after_right, round(p_value, 4)
FROM compare_models(t, actual, before, after);
-- expect
-- 41 | 0.122 | 0.011 | 0.226 | 0.185 | 0 | 5 | 0.0625

-- case: the same predictions twice, all right
CREATE TABLE t AS SELECT 'a' AS actual FROM range(41) r(i);
SELECT difference, error_reduction, p_value FROM compare_models(t, actual, actual, actual);
-- expect
-- 0.0 | NULL | 1.0

-- case: no row has a truth
CREATE TABLE t AS SELECT NULL::VARCHAR AS actual, 'a' AS said FROM range(3);
FROM compare_models(t, actual, said, said);
-- error: no row has a true label
