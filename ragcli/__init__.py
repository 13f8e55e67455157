"""Search your documents and get answers whose citations can be checked.

::

    files ─ load ─▶ Document ─ chunk ─▶ Chunk ─ embed ─▶ (n, dim) float32 ─▶ catalog ─▶ store
    question ─▶ search: lexical ┐
                        dense ──┴▶ fuse ─▶ list[Hit] ─ prompt ─▶ Prompt ─ answer ─▶ Answer

    pipeline assembles · evaluate measures · cli and render are the door
"""
