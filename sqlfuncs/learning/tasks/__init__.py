"""Kinds of labels, a file each: how they are read, learned and judged."""
