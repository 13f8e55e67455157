"""Every error a user may meet, each with its exit code.

::

    RagError
    ├── UsageError          2  the command line, a setting or an input file is wrong
    ├── IndexMissing        3  no index here
    ├── IndexMismatch       4  the index was made otherwise
    ├── IndexBusy           5  another process writes
    ├── PartlyDone          6  some of the work failed; the rest is kept
    ├── ModelUnavailable    7  a model, an embedding service or an LLM failed
    ├── IndexDamaged        8  the index does not hold together
    ├── GateFailed          9  a quality gate was missed
    └── Interrupted       130  stopped by the user; what was done is kept

Exit code 1 (nothing found, no answer) is a result and not an error. A message says what
happened and, after a semicolon, the next command to type. Anything that is not a ``RagError``
is a bug and keeps its traceback.
"""

from __future__ import annotations

NOTHING_FOUND = 1


class RagError(Exception):
    """An expected failure: one line for the user and an exit code for scripts."""

    exit_code: int = 2


class UsageError(RagError):
    """The command line, a setting or an input file is wrong."""

    exit_code = 2


class IndexMissing(RagError):
    """No index lies where one was looked for."""

    exit_code = 3


class IndexMismatch(RagError):
    """The index was made with another model or another format than is asked for now."""

    exit_code = 4


class IndexBusy(RagError):
    """Another process writes to the index and did not finish in the time allowed."""

    exit_code = 5


class PartlyDone(RagError):
    """Some files or batches failed; what was done is kept and valid."""

    exit_code = 6


class ModelUnavailable(RagError):
    """A model, an embedding service or an LLM could not be had or failed."""

    exit_code = 7


class IndexDamaged(RagError):
    """The parts of the index contradict each other or cannot be read."""

    exit_code = 8


class GateFailed(RagError):
    """A quality gate was missed."""

    exit_code = 9


class Interrupted(RagError):
    """The user stopped the command; what was done is kept and valid."""

    exit_code = 130
