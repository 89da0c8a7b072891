-- Internal: as _sf_kind, where a list of text is a label, too: several tags, 'tags'.
_sf_labels_kind(of_type) AS (
    CASE WHEN of_type = 'VARCHAR[]' THEN 'tags' ELSE sqlfuncs.main._sf_kind(of_type) END
);
