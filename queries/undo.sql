-- title: Undo
-- answers: What is in force again, now that a reviewer takes back the latest step?
-- param reviewer text = reviewer: whose step is taken back; again takes back the one before
-- param log table = decisions: the decision log, which is only added to

-- A step is all that a reviewer decided in one moment and that is in force: what other people have decided since stands. What was
-- in force before is written again; where nothing was, or a proposal of auto_corrections, needs_review. What was undone, and the rows
-- that undid it, count no longer.
INSERT INTO {{ log | ident }} BY NAME
WITH _log AS (FROM {{ log | ident }}), logged AS (
    SELECT *, sqlfuncs.main._sf_undone(reason) IS NOT NULL AS is_undo,
        TRY(sqlfuncs.main._sf_until(sqlfuncs.main._sf_undone(reason), _sf_has_zone)) AS undone
    FROM sqlfuncs.main._sf_log(_log)
), standing AS (
    FROM (FROM logged WHERE NOT is_undo) AS l ANTI JOIN (FROM logged WHERE is_undo) AS u
        ON u.key = l.key AND u.decided_by = l.decided_by AND u.undone = l.decided_at
), owned AS (
    -- What a reviewer applied on the page is auto_corrections', and theirs to take back; what correct wrote is its own.
    SELECT *, sqlfuncs.main._sf_is_person(decided_by) AS is_person,
        if(is_person, decided_by, coalesce(sqlfuncs.main._sf_applied_by(reason), decided_by)) AS owner,
        max(decided_at) OVER (PARTITION BY key) AS latest
    FROM standing
), step AS (
    FROM (
        FROM owned
        WHERE is_person OR decided_at = latest
        QUALIFY decided_at = max(decided_at) OVER (PARTITION BY key)
    )
    WHERE owner = {{ reviewer | literal }}
    QUALIFY decided_at = max(decided_at) OVER ()
), before AS (
    SELECT s.key, arg_max({action: s.action, new_label: s.new_label}, s.decided_at) AS decision
    FROM standing AS s JOIN step ON step.key = s.key AND s.decided_at < step.decided_at
    GROUP BY s.key
    HAVING arg_max(sqlfuncs.main._sf_is_person(s.decided_by), s.decided_at)
), verdict AS (
    SELECT CASE
        WHEN (SELECT count(*) FROM step) = 0 THEN
            'nothing to undo: no decision of ' || {{ reviewer | literal }} || ' is in force. In the log are those of '
            || coalesce((SELECT string_agg(DISTINCT decided_by, ', ') FROM logged), 'nobody')
    END AS message
)
SELECT
    step.key,
    coalesce(decision.action, 'needs_review') AS action,
    step.old_label,
    decision.new_label AS new_label,
    step.decided_by,
    sqlfuncs.main._sf_undo_reason(step.decided_at, step._sf_has_zone) AS reason,
    (SELECT decided_at FROM sqlfuncs.main._sf_now(_log)) AS decided_at
-- The verdict stands on the left, so that it is read where there is no step, too.
FROM verdict LEFT JOIN step ON true LEFT JOIN before ON before.key = step.key
WHERE CASE WHEN message IS NULL THEN true ELSE error(message) END;

SELECT key, action, old_label, new_label, reason
FROM {{ log | ident }}
WHERE decided_at = (SELECT max(decided_at) FROM {{ log | ident }})
ORDER BY key;
