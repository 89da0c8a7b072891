-- The part of the pipeline that is SQL: what the judge says becomes columns like any others.
CREATE MATERIALIZED VIEW judged AS
SELECT * EXCEPT (found), found.* FROM examined;

CREATE MATERIALIZED VIEW flagged AS
SELECT * FROM judged WHERE is_label_issue;

CREATE MATERIALIZED VIEW flagged_by_label AS
SELECT label, count(*) AS arrived, count_if(is_label_issue) AS flagged
FROM judged
GROUP BY label;
