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
    except SystemExit as ended:
        _end(ended.code)
        raise


def _end(code: object) -> None:
    """End at once, where nothing is left to be done but to take Python apart.

    That takes a while, and aborts where a thread that is left behind is inside a library in C++. No
    thread of ours is waited for at the end; those of libraries that are not daemons only wait for work.
    """
    import atexit

    if not isinstance(code, int | None):
        return
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except OSError:
        return  # Python's own end has words for it
    atexit._run_exitfuncs()
    os._exit(code or 0)


if __name__ == "__main__":
    if not sys.flags.safe_path and sys.path and sys.path[0] == os.getcwd():
        del sys.path[0]  # what lies in the current folder is not ours to import
    main()
