"""`python -m bedplate`."""

from bedplate.main import main

main()
