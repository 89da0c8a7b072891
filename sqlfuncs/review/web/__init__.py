"""The page on which labels are reviewed: Starlette, Jinja templates, a script and a style sheet."""
