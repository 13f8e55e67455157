"""The lexical projection: a tantivy index of the chunks' terms, changed in place."""

from __future__ import annotations

import json
import math
from bisect import bisect_right
from collections.abc import Collection, Container, Mapping, Sequence
from itertools import accumulate
from pathlib import Path, PurePosixPath
from typing import Any

from ragcli.analyze import ENGLISH, Analyzer
from ragcli.catalog import Catalog
from ragcli.errors import IndexDamaged
from ragcli.jsontext import parse_json
from ragcli.store.beside import fill
from ragcli.store.projection import MARKER, marker_stamp
from ragcli.store.trouble import engine

_NAME = "the lexical index"
_VERSION = 3
_HEAP_BYTES = 64_000_000
# Bytes of entries that are packed together: a search unpacks what lies around each of hundreds of hits.
_BLOCK = 2048
# tantivy's statistics count deleted entries until their segment is merged. Up to this many
# entries the index is rewritten at once, so that scores are those of an index made in one go;
# beyond, only when a twentieth is dead.
_ALWAYS_REWRITTEN = 50_000
# The best chunks that are looked at for neighbours of the question, how many of these, and their
# share, as Metzler and Croft found it; on our judged sets a tenth and a fifth do equally well.
_REREAD = 300
_MOST_NEIGHBOURS = 50
_NEIGHBOURS = 0.1

# Id, score and the terms of the body, with spaces between.
_Scored = tuple[str, float, str]


class LexicalStore:
    """Chunks by their terms, ranked by BM25 (k1 1.2, b 0.75, as tantivy has it).

    ``body`` holds the terms of everything that is searched, ``context`` once more those of title
    and headings alone: a word of the title counts twice over, one that an LLM wrote does not.
    ``path`` holds those of the file's name and folders, so that ``cors.md`` and
    ``tutorial/cors.md`` are found.
    """

    def __init__(self, folder: Path, analyze: Analyzer = ENGLISH) -> None:
        self.folder = folder
        self.analyze = analyze
        self._open: Any = None
        self._made: tuple[int, int] | None = None

    @property
    def form(self) -> str:
        return f"tantivy:{_VERSION}:analyzer:{self.analyze.form}"

    @property
    def recipe(self) -> tuple[str, ...]:
        code = "import sys; from ragcli.store.lexical import make; make(*sys.argv[1:])"
        return code, str(self.analyze)

    def close(self) -> None:
        self._open = None

    def is_whole(self, catalog: Catalog) -> bool:
        made = marker_stamp(self.folder)
        try:
            with engine(_NAME):
                index = self._index(create=False)
                if made is None or made != self._made:
                    index.reload()  # what another process committed since
                self._made = made
                count: int = index.searcher().num_docs
        except IndexDamaged:
            self.close()
            return False
        return count == catalog.chunk_count

    def settle(self, catalog: Catalog) -> list[Path]:  # noqa: ARG002
        """A committed segment is never written again."""
        return [path for path in self.folder.iterdir() if path.suffix != ".lock" and path.name != MARKER]

    def names(self) -> set[str]:
        """Ids of all entries."""
        with engine(_NAME):
            return {name for name, _ in self._everything(self._index(create=False))}

    def apply(self, catalog: Catalog, since: int, deleted: int) -> int:
        self.close()  # what was opened before may show less than another process wrote since
        try:
            with engine(_NAME, making=not since):
                return self._apply(catalog, since, deleted)
        finally:
            self.close()

    def _apply(self, catalog: Catalog, since: int, deleted: int) -> int:
        import tantivy

        index = self._index(create=not since)
        writer = index.writer(heap_size=_HEAP_BYTES, num_threads=1)
        added = catalog.chunks_since(since)
        dead = 0
        if since:
            added = list(added)
            # Whatever was written before a crash is taken back first: added twice would count twice.
            touched = [*catalog.gone_since(since), *(stored.chunk.id for stored in added)]
            searcher = index.searcher()
            old = {chunk for chunk in touched if searcher.doc_freq("id", chunk)}
            dead = self._take_out(index, writer, old, deleted + len(old), catalog.chunk_count)
        for stored in added:
            chunk = stored.chunk
            context = " ".join(self.analyze(chunk.context))
            body = " ".join(self.analyze(f"{chunk.written}\n{chunk.text}" if chunk.written else chunk.text))
            path = " ".join(_path_terms(stored.path, self.analyze))
            writer.add_document(
                tantivy.Document(
                    id=[stored.chunk.id], body=[f"{context} {body}"], context=[context], path=[path]
                )
            )
        writer.commit()
        writer.wait_merging_threads()
        return dead

    def search(
        self,
        terms: Mapping[str, float],
        limit: int,
        context_weight: float = 0.3,
        path_weight: float = 0.5,
        neighbours: Sequence[tuple[str, str]] = (),
        within: Container[str] | None = None,
        favoured: Sequence[Collection[str]] = (),
    ) -> list[tuple[str, float]]:
        """Ids and BM25 scores of the best chunks, best first, ties in the order of ids.

        ``terms`` are those of a question with how much each counts. ``within`` names the chunks
        that may be found; their scores are those of a search in all. Each of ``favoured`` are
        chunks that have something in common, which counts as a term that stands in all of them
        once. ``neighbours`` are terms that stand side by side in the question: of the best chunks,
        those in which they do so, too, gain a share of both terms' rarity (after Metzler and Croft's
        sequential dependence, SIGIR 2005). Raises ``IndexDamaged`` when the index cannot be read.
        """
        favoured = [chunks for chunks in favoured if chunks]
        if not terms and not favoured:
            return []
        with engine(_NAME):
            fields = {"body": 1.0, "context": context_weight, "path": path_weight}
            query, searcher = self._query(terms, fields, favoured)
            wanted = fetch = max(limit, _REREAD) if neighbours else limit
            while True:
                found = self._best(searcher, query, fetch)
                kept = [hit for hit in found if within is None or hit[0] in within]
                if len(kept) >= wanted or len(found) < fetch:
                    break
                fetch *= 4
            return self._reread(searcher, kept[:wanted], neighbours)[:limit]

    def _reread(
        self, searcher: Any, found: Sequence[_Scored], neighbours: Sequence[tuple[str, str]]
    ) -> list[tuple[str, float]]:
        """Ids and scores, in order, with what neighbours of the question add."""
        total = searcher.num_docs
        gains = {
            f" {one} {other} ": _NEIGHBOURS
            * sum(_rarity(searcher.doc_freq("body", term), total) for term in (one, other))
            for one, other in neighbours
        }
        rarest = sorted(gains.items(), key=lambda gain: (-gain[1], gain[0]))[:_MOST_NEIGHBOURS]
        added = _gains([body for _, _, body in found], rarest)
        scored = [(name, score + more) for (name, score, _), more in zip(found, added, strict=True)]
        return sorted(scored, key=lambda pair: (-pair[1], pair[0]))

    def _query(
        self, terms: Mapping[str, float], fields: Mapping[str, float], favoured: Sequence[Collection[str]]
    ) -> tuple[Any, Any]:
        """The query for terms, and what it is asked of."""
        import tantivy

        index = self._index(create=False)
        schema = index.schema
        clauses = []
        for term, count in terms.items():
            for field, weight in fields.items():
                query = tantivy.Query.term_query(schema, field, term, "freq")
                clauses.append((tantivy.Occur.Should, tantivy.Query.boost_query(query, weight * count)))
        searcher = index.searcher()
        for chunks in favoured:
            query = tantivy.Query.const_score_query(
                tantivy.Query.term_set_query(schema, "id", sorted(chunks)),
                _rarity(len(chunks), searcher.num_docs),
            )
            clauses.append((tantivy.Occur.Should, query))
        return tantivy.Query.boolean_query(clauses), searcher

    def holding(self, words: Sequence[Sequence[str]]) -> set[str]:
        """Ids of the chunks that hold, of each word, one of its terms; of all chunks without words."""
        import tantivy

        with engine(_NAME):
            index = self._index(create=False)
            queries = [tantivy.Query.term_set_query(index.schema, "body", list(terms)) for terms in words]
            return self._all(index, tantivy.Occur.Must, queries or [tantivy.Query.all_query()])

    def beginning(self, start: str) -> set[str]:
        """Ids of the chunks that hold a term which begins so."""
        return self._matching(f"{_literal(start)}.*")

    def headed(self, heads: Sequence[str]) -> set[str]:
        """Ids of the chunks that hold one of some terms, or one that is a letter longer."""
        return self._matching(f"({'|'.join(map(_literal, heads))}).?") if heads else set()

    def containing(self, text: str) -> set[str]:
        """Ids of the chunks that hold a term with a text in it."""
        return self._matching(f".*{_literal(text)}.*")

    def _matching(self, pattern: str) -> set[str]:
        """Ids of the chunks that hold a term which a regular expression matches as a whole."""
        import tantivy

        with engine(_NAME):
            index = self._index(create=False)
            query = tantivy.Query.regex_query(index.schema, "body", pattern)
            return self._all(index, tantivy.Occur.Must, [query])

    def _all(self, index: Any, occur: Any, queries: Sequence[Any]) -> set[str]:
        import tantivy

        searcher = index.searcher()
        if not searcher.num_docs:
            return set()
        query = tantivy.Query.boolean_query([(occur, query) for query in queries])
        hits = searcher.search(query, searcher.num_docs, count=False).hits
        return {str(searcher.doc(address)["id"][0]) for _, address in hits}

    def weights(self, question: str) -> dict[str, float]:
        """Inverse document frequency of each distinct word, as BM25 has it; unknown ones weigh most.

        A word with several stems stands there as the one that most chunks hold.
        """
        words = dict.fromkeys(self.analyze.words(question))
        with engine(_NAME):
            searcher = self._index(create=False).searcher()
            total = searcher.num_docs
            found = [{stem: searcher.doc_freq("body", stem) for stem in stems} for stems in words]
        counts = dict(max(stems.items(), key=lambda stem: stem[1]) for stems in found)
        return {term: _rarity(count, total) for term, count in counts.items()}

    def _best(self, searcher: Any, query: Any, limit: int) -> list[_Scored]:
        """The best ``limit``, whole ties fetched first so that ids and not storage decide them."""
        fetch = limit + 16
        while True:
            hits = searcher.search(query, fetch, count=False).hits
            if len(hits) < fetch or hits[limit - 1][0] > hits[-1][0]:
                break
            fetch *= 4
        least = hits[limit - 1][0] if len(hits) >= limit else 0.0
        entries = ((float(score), searcher.doc(address)) for score, address in hits if score >= least)
        found = [(str(entry["id"][0]), score, str(entry["body"][0])) for score, entry in entries]
        found.sort(key=lambda hit: (-hit[1], hit[0]))
        return found[:limit]

    def _take_out(self, index: Any, writer: Any, old: set[str], dead: int, total: int) -> int:
        """Remove entries, rewriting the others where that keeps the statistics exact; dead entries left."""
        if dead and (total <= _ALWAYS_REWRITTEN or dead * 20 > total):
            kept = [document for name, document in self._everything(index) if name not in old]
            writer.delete_all_documents()
            for document in kept:
                writer.add_document(document)
            return 0
        for chunk in old:
            writer.delete_documents_by_term("id", chunk)
        return dead

    def _everything(self, index: Any) -> list[tuple[str, Any]]:
        """All entries in the order of their ids."""
        import tantivy

        searcher = index.searcher()
        if not searcher.num_docs:
            return []
        hits = searcher.search(tantivy.Query.all_query(), searcher.num_docs, count=False).hits
        entries = {}
        for _, address in hits:
            stored = searcher.doc(address)
            name = str(stored["id"][0])
            fields = {field: stored[field] for field in ("body", "context", "path")}
            entries[name] = tantivy.Document(id=[name], **fields)
        return sorted(entries.items(), key=lambda entry: entry[0])

    def _index(self, *, create: bool) -> Any:
        import tantivy

        if self._open is not None:
            return self._open
        builder = tantivy.SchemaBuilder()
        builder.add_text_field("id", stored=True, tokenizer_name="raw", index_option="basic")
        builder.add_text_field("body", stored=True, tokenizer_name="terms", index_option="freq")
        builder.add_text_field("context", stored=True, tokenizer_name="terms", index_option="freq")
        builder.add_text_field("path", stored=True, tokenizer_name="terms", index_option="freq")
        if create and not tantivy.Index.exists(str(self.folder)):
            tantivy.Index(builder.build(), path=str(self.folder))
            _set_block(self.folder)
        index = tantivy.Index.open(str(self.folder))
        # The terms come analysed: they only have to be told apart again.
        spaces = tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.whitespace()).build()
        index.register_tokenizer("terms", spaces)
        self._open = index
        return index


def _set_block(folder: Path) -> None:
    """Have a new index pack fewer entries together, which tantivy only lets its file of settings say."""
    path = folder / "meta.json"
    told = parse_json(path.read_text("utf-8"))
    told.setdefault("index_settings", {})["docstore_blocksize"] = _BLOCK
    path.write_text(json.dumps(told), "utf-8")


def _gains(bodies: Sequence[str], rows: Sequence[tuple[str, float]]) -> list[float]:
    """What each of the bodies gains for the rows of terms that stand in it.

    All are looked through as one text, which takes a fraction of the time.
    """
    added = [0.0] * len(bodies)
    if not rows:
        return added
    starts = [0, *accumulate(len(body) + 3 for body in bodies)]
    text = "".join(f" {body} \n" for body in bodies)
    for row, gain in rows:
        at = text.find(row)
        while at >= 0:
            place = bisect_right(starts, at) - 1
            added[place] += gain
            at = text.find(row, starts[place + 1])
    return added


def _path_terms(path: str, analyze: Analyzer) -> list[str]:
    """Terms of a file's name with and without its ending, and of its folders, each once."""
    parts = path.split("/")
    tails = ["/".join(parts[at:]) for at in range(len(parts))]
    return list(dict.fromkeys(term for tail in (*tails, PurePosixPath(path).stem) for term in analyze(tail)))


def _rarity(count: int, total: int) -> float:
    """Inverse document frequency as BM25 has it."""
    return math.log(1 + (max(0, total - count) + 0.5) / (count + 0.5))


def _literal(text: str) -> str:
    """A text as a regular expression of tantivy's."""
    return "".join(sign if sign.isalnum() or sign == "_" else f"\\{sign}" for sign in text)


def make(folder: str, catalog: str, languages: str) -> None:
    """Make the lexical index of a catalogue, in a process of its own."""
    fill(LexicalStore(Path(folder), Analyzer.of(languages)), catalog)
