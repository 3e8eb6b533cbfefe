"""`python -m services.cli` is `deltaml`."""

from services.cli import main

main()
