"""Several labels for an item: votes, consensus, how good annotators are."""
