"""The report on a table's labels, as one HTML file. Knows no engine."""
