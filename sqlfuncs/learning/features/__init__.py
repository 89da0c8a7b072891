"""What models see of rows, and the heads that learn from it."""
