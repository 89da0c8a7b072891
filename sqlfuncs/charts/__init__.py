"""Charts as numbers, and the templates that draw them as SVG in a page's own colours."""
