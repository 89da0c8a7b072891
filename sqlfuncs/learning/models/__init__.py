"""Training and judging: folds, out-of-sample probabilities, averages of heads, networks."""
