"""What a label is: which values are the same one, and classes in their order."""
