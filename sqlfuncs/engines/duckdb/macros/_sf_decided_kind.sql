-- Internal: as _sf_kind, where a list of text is a label, too: several tags, which a log has as DuckDB's own
-- text for the list.
_sf_decided_kind(of_type) AS (
    CASE WHEN of_type = 'VARCHAR[]' THEN 'plain' ELSE sqlfuncs.main._sf_kind(of_type) END
);
