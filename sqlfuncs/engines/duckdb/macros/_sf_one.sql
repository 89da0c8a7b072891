-- Internal: a label as it is; what holds more than one value is none. `what` is what to call it.
_sf_one(label, what) AS (
    CASE
        WHEN sqlfuncs.main._sf_kind(typeof(label)) <> 'nested' OR (label) IS NULL THEN label
        WHEN ends_with(typeof(label), ']') THEN error(
            what || ' is a list (' || left(typeof(label), 80) || '): several labels for a row, which are not taken here. '
            || if(typeof(label) = 'VARCHAR[]', 'Tags and labels of words, which such lists are to label_issues, have no place here. ',
            'Tags are lists of text, which label_issues takes: ' || what || '::VARCHAR[]. ') || 'Where a row has one '
            || 'label, pick one, ' || what || '[1]; make each set of them '
            || 'a label, array_to_string(list_sort(' || what || '), '', ''); or ask of one at a time, '
            || 'list_contains(' || what || ', ''...'').'
        )
        WHEN typeof(label) = 'INTERVAL' THEN error(
            what || ' is an INTERVAL: months, days and seconds apart, of which several are equal. Name the '
            || 'lengths, or count them in one unit: epoch(' || what || ')::BIGINT.'
        )
        ELSE error(
            what || ' is of type ' || left(typeof(label), 80) || ', which is no label: a row has one value. '
            || 'Name the one that is meant, such as ' || what || '.field or ' || what || '[''key''].'
        )
    END
);
