-- Internal: as _sf_one, where a list of text is a label, too: several tags.
_sf_one_or_tags(label, what) AS (
    CASE
        WHEN typeof(label) = 'VARCHAR[]' THEN label
        ELSE sqlfuncs.main._sf_one(label, what)
    END
);
