"""`python -m callanalysis.cli`."""

from callanalysis.cli import main

main()
