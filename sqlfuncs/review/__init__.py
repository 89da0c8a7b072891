"""Reviewing labels on a local page: a queue, what is decided, and the page. Knows no engine."""
