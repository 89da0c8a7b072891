-- Internal: the reason of a decision that takes back those of a moment, which `_sf_undone` reads.
_sf_undo_reason(decided_at, has_zone) AS ('undo of ' || (decided_at) || if(has_zone, '+00', ''));
