"""``python -m ragcli``, and the ``rag`` command."""

from __future__ import annotations

import os
import sys


def main() -> None:
    """Run the program; an interrupt while it is still being loaded is answered like any other."""
    try:
        from ragcli.cli import main as run

        run()
    except KeyboardInterrupt:
        sys.stderr.write("rag: interrupted; nothing was begun\n")
        sys.exit(130)


if __name__ == "__main__":
    if not sys.flags.safe_path and sys.path and sys.path[0] == os.getcwd():
        del sys.path[0]  # what lies in the current folder is not ours to import
    main()
