-- Internal: as _sf_kind, where a list of text is a label, too: several tags, 'tags'; or, where what they are
-- labels of is of the type of lists of words, or of maps of probabilities of them, one for each word, 'words'.
_sf_labels_kind(of_type, x_type := '') AS (
    CASE
        WHEN of_type = 'VARCHAR[]' AND (x_type = 'VARCHAR[]' OR regexp_full_match(x_type, 'MAP\(.*\)\[\]'))
        THEN 'words'
        WHEN of_type = 'VARCHAR[]' THEN 'tags'
        ELSE sqlfuncs.main._sf_kind(of_type)
    END
);
