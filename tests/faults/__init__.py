"""What an index is worth when things go wrong: kills, crowds, full disks, and clocks that lie.

Every run of the program is a real process of its own. They are forked from one that has imported
the slow packages already, so that hundreds of them cost minutes and not hours; see `forkserver`.

A few rounds of each are part of the ordinary tests. ``make soak`` sets ``RAG_SOAK=1`` for all of them.
"""

import pytest

pytest.register_assert_rewrite("tests.faults.answers")
