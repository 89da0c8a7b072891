"""Which rows are alike: neighbours, outliers, near duplicates."""
