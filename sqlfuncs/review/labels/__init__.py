"""What labels of each kind are on the page: which there are, how they are shown and typed."""
