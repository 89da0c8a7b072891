"""`python -m sqlfuncs.cli`, the same as the program `sqlfuncs`."""

from sqlfuncs.cli import main

main()
