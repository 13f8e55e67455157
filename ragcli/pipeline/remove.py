"""Documents out of the index."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from ragcli.errors import UsageError
from ragcli.locks import writing
from ragcli.pipeline.index import Index
from ragcli.pipeline.survey import lies_under
from ragcli.settings import Settings


def remove(
    folder: Path, settings: Settings, paths: Sequence[str], tell: Callable[[str], None]
) -> tuple[int, int]:
    """Take documents out, named by id, file or folder; numbers of documents and chunks.

    ``tell`` hears who is waited for.
    Raises ``UsageError`` for a name that is not in the index.
    """
    documents = chunks = 0
    Index.open(folder, settings).close()  # before a lock is made where there is no index
    with writing(folder, "rag remove", settings.wait, tell), Index.open(folder, settings) as index:
        known = [(row["document"], row["path"], row["file"]) for row in index.catalog.document_rows()]
        chosen: dict[str, str] = {}
        for path in paths:
            within = index.under(index.name_of(Path(path)))
            found = {
                document: file
                for document, place, file in known
                if document == path or within(place) is not None or lies_under(place, path.rstrip("/"))
            }
            if not found:
                raise UsageError(f"not in the index: {path}; `rag list` shows what is")
            chosen |= found
        with index.change() as generation:
            for document in sorted(chosen):
                told = index.catalog.contexts.of(document)
                chunks += index.catalog.drop_document(document, generation)
                documents += 1
                index.catalog.contexts.drop(told)  # it tells of what was to leave
            for file in set(chosen.values()):
                if not index.catalog.documents_of(file):
                    index.catalog.drop_file(file)
                else:  # a part of it: the next run must read the file again
                    index.catalog.forget_state(file)
                index.catalog.drop_root(file)
    return documents, chunks
