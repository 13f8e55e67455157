"""``python -m ragcli``."""

from ragcli.cli import main

main()
