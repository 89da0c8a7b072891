"""What is wrong with labels: scores, flags, noise, corrections, and what is said of it."""
