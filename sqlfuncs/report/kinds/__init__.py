"""What a report says of labels, by what labels are: a module for each task, and `registry`."""
