"""The prompt of our own, for machines without another shell, and for statements by a pipe.

`session` runs what was typed, `dots` are the commands that begin with a dot, `terminal` reads
from a person by prompt_toolkit, and `completion` knows the names that can be typed.
"""
