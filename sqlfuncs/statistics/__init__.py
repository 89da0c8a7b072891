"""Statistics that know nothing of labels or models."""
