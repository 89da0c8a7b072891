"""One folder for each SQL engine; nothing outside a folder knows its engine."""
