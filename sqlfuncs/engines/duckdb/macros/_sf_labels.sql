-- Internal: as _sf_label, where a list of text is a label, too: it comes as JSON.
_sf_labels(label, what := 'label') AS (
    CASE
        WHEN typeof(label) = 'VARCHAR[]' THEN to_json(label)::VARCHAR
        ELSE sqlfuncs.main._sf_label(label, what)
    END
);
