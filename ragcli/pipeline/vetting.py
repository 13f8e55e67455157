"""What is noted of documents before a model reads them: passages that read like instructions, and secrets."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import replace

from ragcli.catalog import Catalog, StoredChunk, content_hash
from ragcli.guard import SCAN_VERSION, Flag, Masking, Secret, find_secrets, scan
from ragcli.types import Chunk

_NOTE = "scan"


def flags_of(text: str, name: str, chunks: Sequence[Chunk]) -> dict[str, tuple[Flag, ...]]:
    """Those of a document's chunks that read like instructions to a model, by id.

    ``name`` is what stands beside each of them in a prompt: title and path. What is found there or
    in a chunk's lead is flagged with an empty span at the chunk's beginning.
    """
    within = scan(text)
    beside = {flag.kind for flag in scan(name)}
    found = {}
    for chunk in chunks:
        kinds = beside | ({flag.kind for flag in scan(chunk.lead)} if chunk.lead else set())
        own = [flag for flag in within if flag.start < chunk.end and chunk.start < flag.end]
        own += [Flag(kind, chunk.start, chunk.start) for kind in sorted(kinds - {flag.kind for flag in own})]
        if own:
            found[chunk.id] = tuple(own)
    return found


def flag_all(catalog: Catalog, *, force: bool = False) -> int | None:
    """Flag every chunk from the catalogue's own texts where that was not done, or by older patterns.

    How many chunks are flagged then; None where nothing had to be done. One transaction.
    """
    if catalog.get(_NOTE) == str(SCAN_VERSION) and not force:
        return None
    count = 0
    with catalog.transaction():
        for document, path, _ in catalog.document_names():
            stored = catalog.chunks_of(document)
            title = stored[0].title if stored else ""
            flags = flags_of(
                catalog.text_of(document) or "", f"{title}\n{path}", [each.chunk for each in stored]
            )
            catalog.put_flags(document, flags)
            count += len(flags)
        catalog.put(_NOTE, str(SCAN_VERSION))
    return count


def holding_secrets(chunks: Sequence[Chunk], secrets: Sequence[Secret]) -> list[Chunk]:
    """Those of a document's chunks that hold some of its secrets, or a part of one."""
    return [chunk for chunk in chunks if _among(chunk, secrets)]


def masked(chunk: Chunk, text: str, secrets: Sequence[Secret]) -> Chunk:
    """A chunk of ``text`` with what is embedded of it masked; ``secrets`` are those of the whole text."""
    masking = Masking()
    context = masking.mask(chunk.context)
    body = masking.mask_part(text, chunk.start, chunk.end, _among(chunk, secrets))
    written = ""
    if chunk.written:  # it may tell of any part of the document
        masking.learn(text, secrets)
        written = masking.mask(chunk.written)
    told = replace(chunk, context=context, written=written, text=body).embedded_text
    return replace(chunk, masked=told if told != chunk.embedded_text else "")


def _among(chunk: Chunk, secrets: Sequence[Secret]) -> Sequence[Secret]:
    """Those of the secrets, which do not overlap and are in order, that reach into a chunk."""
    first = bisect_right(secrets, chunk.start, key=lambda secret: secret.end)
    return secrets[first : bisect_left(secrets, chunk.end, key=lambda secret: secret.start)]


def embedded_otherwise(stored: Sequence[tuple[StoredChunk, str]], catalog: Catalog) -> bool:
    """Whether a chunk of a document was embedded with another text than its own, which may have been masked."""
    others = [
        (each.chunk, content) for each, content in stored if content_hash(each.chunk.embedded_text) != content
    ]
    if not others:
        return False
    text = catalog.text_of(others[0][0].document) or ""
    secrets = find_secrets(text)
    return any(content_hash(masked(chunk, text, secrets).sent_text) != content for chunk, content in others)
