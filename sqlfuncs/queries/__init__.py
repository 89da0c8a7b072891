"""Query files: SQL with a header and Jinja parameters, that run against any table.

`files` finds them, `header` reads what they accept, `render` puts the parameters in.
"""
