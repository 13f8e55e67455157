"""The contract of every projection: whatever happened before, it shows the catalogue as it is now."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ragcli.analyze import ENGLISH, Analyzer
from ragcli.catalog import Catalog
from ragcli.errors import IndexDamaged
from ragcli.search.syntax import Clause
from ragcli.store import DenseStore, LexicalStore, Projection, bring_up_to_date, discard, is_current

from .samples import SIGNATURE, make_document, put, vector_of

Store = LexicalStore | DenseStore
Make = Callable[[str], Store]
Found = list[tuple[str, float]]

WORDS = ["tower", "bridge", "river", "market", "garden", "station", "museum", "harbour", "castle", "square"]
TEXTS = [f"the {one} by the {other}" for one in WORDS for other in WORDS if one < other]


_SHOWN: dict[int, Catalog] = {}  # the catalogue that each store shows


@pytest.fixture(params=["lexical", "dense"])
def make(request: pytest.FixtureRequest, tmp_path: Path, catalog: Catalog) -> Iterator[Make]:
    """A store of one kind in a folder of the given name, derived from ``catalog``."""
    made: list[Store] = []

    def store(name: str) -> Store:
        folder = tmp_path / name
        made.append(LexicalStore(folder) if request.param == "lexical" else DenseStore(folder, SIGNATURE))
        _SHOWN[id(made[-1])] = catalog
        return made[-1]

    yield store
    for one in made:
        one.close()


@pytest.fixture
def catalog() -> Iterator[Catalog]:
    with Catalog.in_memory() as opened:
        yield opened


def search(store: Store, query: str, limit: int = 200) -> Found:
    """Ids and scores."""
    if isinstance(store, LexicalStore):
        return store.search(ENGLISH.question(query), limit)
    return store.search(_SHOWN[id(store)], vector_of(query), limit)


def everything(store: Store) -> list[str]:
    """All ids in a store, repeats included."""
    return sorted(chunk for chunk, _ in search(store, " ".join(WORDS), 1000))


def in_catalog(catalog: Catalog) -> list[str]:
    return [stored.chunk.id for stored in catalog.chunks_since(0)]


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


# -- made whole and kept up ------------------------------------------------------------------------------


def test_a_store_is_made_whole_where_nothing_was(make: Make, catalog: Catalog) -> None:
    put(catalog, make_document("a", "\n".join(TEXTS[:20])), make_document("b", "\n".join(TEXTS[20:])))
    store = make("store")
    assert not is_current(store, catalog)
    bring_up_to_date([store], catalog)
    assert is_current(store, catalog)
    assert everything(store) == in_catalog(catalog)
    assert len(everything(store)) == len(TEXTS)


@pytest.mark.skipif(sys.platform == "win32", reason="rights come from the folder above")
@pytest.mark.parametrize("mode", [0o600, 0o640, 0o664])
def test_who_may_read_the_catalogue_may_read_what_is_derived_from_it(
    make: Make, tmp_path: Path, mode: int
) -> None:
    """Without this, what one user shares with others could only be searched by that user."""
    store = make("store")
    with Catalog.create(tmp_path / "catalog.sqlite3") as catalog:
        catalog.path.chmod(mode)
        for number in range(2):
            put(catalog, make_document(f"doc {number}", "\n".join(TEXTS[5 * number : 5 * number + 5])))
            bring_up_to_date([store], catalog)
    enter = {0o600: 0o700, 0o640: 0o750, 0o664: 0o775}[mode]
    found = [store.folder, *store.folder.rglob("*")]
    assert {path.stat().st_mode & 0o777 for path in found if path.is_file()} == {mode}
    assert {path.stat().st_mode & 0o777 for path in found if path.is_dir()} == {enter}


def test_what_comes_changes_and_goes_is_followed(make: Make, catalog: Catalog) -> None:
    store = make("store")
    for change in range(6):
        first = change * 5
        put(
            catalog,
            make_document(f"doc {change}", "\n".join(TEXTS[first : first + 8])),
            make_document("always", "\n".join(TEXTS[change : change + 3])),
            drop=[f"doc {change - 2}"],
        )
        bring_up_to_date([store], catalog)
        assert everything(store) == in_catalog(catalog)
    anew = make("anew")
    bring_up_to_date([anew], catalog)
    for query in ("tower", "castle by the river", "market square station", "garden"):
        assert search(store, query) == search(anew, query), "ids and scores of an index made in one go"
        assert search(store, query)


def test_several_generations_at_once(make: Make, catalog: Catalog) -> None:
    put(catalog, make_document("a", "\n".join(TEXTS[:5])))
    store = make("store")
    bring_up_to_date([store], catalog)
    put(catalog, make_document("b", "\n".join(TEXTS[5:9])))
    put(catalog, make_document("c", "\n".join(TEXTS[9:12])), drop=["a"])
    put(catalog, make_document("a", "\n".join(TEXTS[:2])), drop=["b"])
    bring_up_to_date([store], catalog)
    assert everything(store) == in_catalog(catalog)
    assert len(everything(store)) == 5


def test_a_store_may_become_empty_and_full_again(make: Make, catalog: Catalog) -> None:
    store = make("store")
    bring_up_to_date([store], catalog)
    assert everything(store) == []
    put(catalog, make_document("a", TEXTS[0]))
    bring_up_to_date([store], catalog)
    assert everything(store) == in_catalog(catalog) != []
    put(catalog, drop=["a"])
    bring_up_to_date([store], catalog)
    assert everything(store) == []
    put(catalog, make_document("a", TEXTS[0]))
    bring_up_to_date([store], catalog)
    assert everything(store) == in_catalog(catalog) != []


def test_what_is_current_is_left_alone(make: Make, catalog: Catalog, monkeypatch: pytest.MonkeyPatch) -> None:
    put(catalog, make_document("a", TEXTS[0]))
    store = make("store")
    bring_up_to_date([store], catalog)
    monkeypatch.setattr(type(store), "apply", lambda *_: pytest.fail("applied again"))
    bring_up_to_date([store], catalog)


def test_another_process_finds_what_was_written(make: Make, catalog: Catalog) -> None:
    put(catalog, make_document("a", "\n".join(TEXTS[:9])))
    store = make("store")
    bring_up_to_date([store], catalog)
    found = search(store, "tower")
    store.close()
    assert search(make("store"), "tower") == found != []


def test_a_store_that_was_opened_long_ago_goes_on_from_what_others_wrote(
    make: Make, catalog: Catalog
) -> None:
    put(catalog, make_document("a", "\n".join(TEXTS[:6])))
    old, other = make("store"), make("store")
    bring_up_to_date([old], catalog)
    everything(old)  # open now
    put(catalog, make_document("b", "\n".join(TEXTS[6:9])), drop=["a"])
    bring_up_to_date([other], catalog)
    other.close()
    put(catalog, make_document("c", "\n".join(TEXTS[9:12])), drop=["b"])
    bring_up_to_date([old], catalog)
    assert everything(old) == in_catalog(catalog)
    assert len(in_catalog(catalog)) == 3


# -- markers -----------------------------------------------------------------------------------------------


def grown(make: Make, catalog: Catalog) -> Store:
    """A store of one generation under a catalogue of two."""
    put(
        catalog,
        make_document("a", "\n".join(TEXTS[:6])),
        make_document("b", TEXTS[6]),
        make_document("stays", TEXTS[7]),
    )
    store = make("store")
    bring_up_to_date([store], catalog)
    put(catalog, make_document("a", "\n".join(TEXTS[3:9])), drop=["b"])
    return store


@pytest.mark.parametrize(
    "change",
    [
        lambda _: None,
        lambda _: "{",
        lambda _: "[]",
        lambda note: json.dumps({**note, "catalog": "another"}),
        lambda note: json.dumps({**note, "form": "another"}),
        lambda note: json.dumps({**note, "generation": 99}),
        lambda note: json.dumps({**note, "more": 1}),
    ],
    ids=[
        "missing",
        "broken",
        "another shape",
        "another catalogue",
        "another form",
        "from the future",
        "unknown field",
    ],
)
def test_a_marker_that_does_not_fit_has_the_store_made_anew(
    change: Callable[[dict[str, object]], str | None], make: Make, catalog: Catalog
) -> None:
    store = grown(make, catalog)
    marker = store.folder / "projection.json"
    stray = store.folder / "stray"
    stray.write_text("of the store before", "utf-8")
    text = change(json.loads(marker.read_text("utf-8")))
    if text is None:
        marker.unlink()
    else:
        marker.write_text(text, "utf-8")
    assert not is_current(store, catalog)
    bring_up_to_date([store], catalog)
    assert is_current(store, catalog)
    assert everything(store) == in_catalog(catalog)
    assert not stray.exists(), "nothing of the old store is left"


def test_a_discarded_store_is_made_anew(make: Make, catalog: Catalog) -> None:
    put(catalog, make_document("a", "\n".join(TEXTS[:6])))
    store = make("store")
    bring_up_to_date([store], catalog)
    discard([store, make("never made")])
    assert not is_current(store, catalog)
    bring_up_to_date([store], catalog)
    assert everything(store) == in_catalog(catalog)


def test_another_model_has_the_dense_store_made_anew(tmp_path: Path) -> None:
    one, other = DenseStore(tmp_path, "one:8"), DenseStore(tmp_path, "other:8")
    assert one.form != other.form


# -- crashes -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("crashes", [1, 2])
def test_a_crash_between_work_and_marker_leaves_no_repeats(
    crashes: int, make: Make, catalog: Catalog
) -> None:
    store = grown(make, catalog)
    for _ in range(crashes):
        store.apply(catalog, 1, 0)  # and the process dies before the marker is written
        store.close()
    put(catalog, make_document("c", TEXTS[10]))
    again = make("store")
    bring_up_to_date([again], catalog)
    assert everything(again) == in_catalog(catalog)
    anew = make("anew")
    bring_up_to_date([anew], catalog)
    for query in ("tower", "bridge castle"):
        assert search(again, query) == search(anew, query)


def test_a_crash_after_the_first_documents_of_an_index_leaves_no_repeats(
    make: Make, catalog: Catalog
) -> None:
    store = make("store")
    bring_up_to_date([store], catalog)  # of the empty catalogue
    put(catalog, make_document("a", "\n".join(TEXTS[:6])))
    store.apply(catalog, 0, 0)
    store.close()
    put(catalog, make_document("b", TEXTS[7]), drop=["a"])
    again = make("store")
    bring_up_to_date([again], catalog)
    assert everything(again) == in_catalog(catalog)


def test_a_crash_while_made_for_the_first_time_leaves_no_repeats(make: Make, catalog: Catalog) -> None:
    put(catalog, make_document("a", "\n".join(TEXTS[:6])))
    store = make("store")
    store.folder.mkdir()
    store.apply(catalog, 0, 0)
    store.close()
    again = make("store")
    bring_up_to_date([again], catalog)
    assert everything(again) == in_catalog(catalog)


# -- damage --------------------------------------------------------------------------------------------------


def test_a_search_where_nothing_was_made_is_damage(make: Make) -> None:
    store = make("store")
    store.folder.mkdir()
    with pytest.raises(IndexDamaged, match="rag doctor --repair"):
        search(store, "tower")


def test_files_that_vanished_under_a_marker_are_made_anew_and_never_half_an_index(
    make: Make, catalog: Catalog
) -> None:
    store = grown(make, catalog)
    store.close()
    marker = (store.folder / "projection.json").read_text("utf-8")
    shutil.rmtree(store.folder)
    store.folder.mkdir()
    (store.folder / "projection.json").write_text(marker, "utf-8")
    again = make("store")
    bring_up_to_date([again], catalog)
    assert everything(again) == in_catalog(catalog)


def test_files_that_are_overwritten_are_damage_and_made_anew_after_a_discard(
    tmp_path: Path, catalog: Catalog
) -> None:
    # Lexical alone: Chroma answers some damage with a crash of the whole process.
    put(catalog, make_document("a", "\n".join(TEXTS[:6])))
    store = LexicalStore(tmp_path / "store")
    bring_up_to_date([store], catalog)
    store.close()
    for path in files(store.folder):
        if path.name == "meta.json":
            path.write_bytes(b"damaged")
    with pytest.raises(IndexDamaged):
        search(store, "tower")
    discard([store])
    store.close()
    bring_up_to_date([store], catalog)
    assert everything(store) == in_catalog(catalog)


# -- answers ---------------------------------------------------------------------------------------------------


def test_limits(make: Make, catalog: Catalog) -> None:
    put(catalog, make_document("a", "\n".join(TEXTS)))
    store = make("store")
    bring_up_to_date([store], catalog)
    found = search(store, "tower castle")
    for limit in (1, 2, 7):
        assert search(store, "tower castle", limit) == found[:limit]


def test_lexical_ties_are_ordered_by_id_and_not_by_storage(tmp_path: Path, catalog: Catalog) -> None:
    store = LexicalStore(tmp_path / "store")
    for number in range(40):
        put(catalog, make_document(f"doc {number}", "the same tower"))
        if number % 9 == 0:
            bring_up_to_date([store], catalog)
    bring_up_to_date([store], catalog)
    found = store.search({"tower": 1}, 40)
    assert len({round(score, 6) for _, score in found}) == 1
    assert [chunk for chunk, _ in found] == in_catalog(catalog)
    assert store.search({"tower": 1}, 3) == found[:3]


def test_lexical_scores_are_bm25_by_hand(tmp_path: Path, catalog: Catalog) -> None:
    from math import log

    put(catalog, make_document("a", "tower tower bridge\nbridge river\ngarden"))
    store = LexicalStore(tmp_path / "store")
    bring_up_to_date([store], catalog)
    ((_, score),) = store.search({"tower": 1}, 10)
    # One of three passages of 2 terms on average, twice in its 3 terms; k1 1.2, b 0.75.
    idf = log(1 + (3 - 1 + 0.5) / (1 + 0.5))
    assert score == pytest.approx(idf * 2 * 2.2 / (2 + 1.2 * (0.25 + 0.75 * 3 / 2)), rel=1e-4)
    assert store.weights("the tower unknown tower") == pytest.approx(
        {"tower": idf, "unknown": log(1 + 3.5 / 0.5)}
    )


def test_lexical_words_of_a_title_count_more_than_those_of_the_text(tmp_path: Path, catalog: Catalog) -> None:
    put(
        catalog,
        make_document("text", "zebra lion", title="horse"),
        make_document("title", "horse lion", title="zebra"),
    )
    store = LexicalStore(tmp_path / "store")
    bring_up_to_date([store], catalog)
    (first, best), (_, second) = store.search({"zebra": 1}, 10)
    assert catalog.chunks([first])[first].chunk.document == "title"
    assert best > second


def test_lexical_neighbours_of_the_question_that_stand_together_come_first(
    tmp_path: Path, catalog: Catalog
) -> None:
    apart, together = (
        "The tower of the garden, by a castle with walls.",
        "The garden has a castle tower, and walls.",
    )
    put(catalog, make_document("a", apart), make_document("b", together), make_document("c", "A river."))
    store = LexicalStore(tmp_path / "store")
    bring_up_to_date([store], catalog)
    terms, near = ENGLISH.question("castle tower"), ENGLISH.neighbours("the castle of the tower")
    assert near == [("castl", "tower")]
    plain, found = store.search(terms, 10), store.search(terms, 10, neighbours=near)
    assert catalog.chunks([found[0][0]])[found[0][0]].chunk.document == "b"
    assert found[0][1] > max(score for _, score in plain)
    assert found[1][1] <= max(score for _, score in plain)
    assert store.search(terms, 1, neighbours=near) == found[:1]


@pytest.mark.parametrize(
    "query", ["cors.md", "tutorial/cors.md", "cors", "CORS.md tutorial", "docs/tutorial/cors.md"]
)
def test_lexical_a_file_is_found_by_its_name_and_folders(
    query: str, tmp_path: Path, catalog: Catalog
) -> None:
    names = ("docs/advanced/cors.md", "docs/tutorial/cors.md", "docs/tutorial/query-params.md", "readme.txt")
    put(catalog, *(make_document(name, f"the tower of {number}") for number, name in enumerate(names)))
    store = LexicalStore(tmp_path / "store")
    bring_up_to_date([store], catalog)
    found = [catalog.chunks([chunk])[chunk].chunk.document for chunk, _ in search(store, query)]
    assert "readme.txt" not in found
    assert found[0] == "docs/tutorial/cors.md" if "tutorial" in query else found[0].endswith("cors.md")


@pytest.mark.parametrize("terms", [[], ["nowhere"], ["nowhere", "tower"]])
def test_lexical_terms_that_are_nowhere_find_nothing(
    terms: list[str], tmp_path: Path, catalog: Catalog
) -> None:
    put(catalog, make_document("a", "tower\nbridge"))
    store = LexicalStore(tmp_path / "store")
    bring_up_to_date([store], catalog)
    assert len(store.search(dict.fromkeys(terms, 1.0), 10)) == ("tower" in terms)


LONG = """configuration authenticate operational availability responsibility organization generalization relational
    electricity conditionally stopping getting hoping trying dying happily quickly probably skies usefulness running
    E1043 getUserName v2.4.1 Müllerstraße communicating Bücher élections""".split()  # noqa: SIM905


@pytest.mark.parametrize("languages", ["en", "de,en", "fr"])
def test_lexical_terms_of_every_word_that_begins_so_are_among_those_that_may_be_meant(
    languages: str, tmp_path: Path, catalog: Catalog
) -> None:
    analyze = Analyzer.of(languages)
    put(catalog, *(make_document(word, word) for word in LONG))
    store = LexicalStore(tmp_path / "store", analyze)
    bring_up_to_date([store], catalog)
    for word in LONG:
        (stored,) = catalog.chunks_of(word)
        for length in range(2, len(word) + 1):
            clause = Clause(word[:length], begins=True)
            if word[length - 1] != ".":
                assert clause.holds(word, analyze), clause
                found = store.beginning(clause.beginning) | store.headed(clause.heads)
                assert stored.chunk.id in found, clause


def test_lexical_terms_of_any_kind_are_found_again(tmp_path: Path, catalog: Catalog) -> None:
    texts = [
        "C++ code",
        "max_seq_length",
        "bob@example.org",
        "2023年杭州",
        "カタカナ",
        "École",
        "x" * 200,
        "a\u2028b\u3000c",
        "don't",
    ]
    put(catalog, *(make_document(text, text) for text in texts))
    store = LexicalStore(tmp_path / "store")
    bring_up_to_date([store], catalog)
    for text in texts:
        ((first, _), *_) = store.search(ENGLISH.question(text), 10)
        assert catalog.chunks([first])[first].chunk.document == text
        for term in ENGLISH(text):
            assert store.search({term: 1}, 10), term


def test_the_nearest_vector_comes_first_and_neighbours_are_exact_in_a_small_store(
    tmp_path: Path, catalog: Catalog
) -> None:
    put(catalog, make_document("a", "\n".join(TEXTS)))
    store = DenseStore(tmp_path / "store", SIGNATURE)
    bring_up_to_date([store], catalog)
    ids = in_catalog(catalog)
    for text in TEXTS[:10]:
        cosines = catalog.vectors_of(ids, SIGNATURE) @ vector_of(text)
        expected = [ids[n] for n in (-cosines.round(6)).argsort(kind="stable")][:10]
        assert [name for name, _ in store.search(catalog, vector_of(text), 10)] == expected
        assert catalog.chunks(expected[:1])[expected[0]].chunk.text == text
    store.close()


def test_any_chroma_client_can_query_the_collection(tmp_path: Path, catalog: Catalog) -> None:
    import chromadb
    from chromadb.api.shared_system_client import SharedSystemClient

    put(
        catalog,
        make_document("a.jsonl#7", TEXTS[0], title="Title", record="7", metadata={"year": 2026, "ok": True}),
        make_document("b.md", "\n".join(TEXTS[1:5])),
    )
    store = DenseStore(tmp_path / "store", SIGNATURE)
    bring_up_to_date([store], catalog)
    store.close()
    collection = chromadb.PersistentClient(path=str(tmp_path / "store")).get_collection("chunks")
    assert collection.count() == 5
    vector = vector_of(f"Title\n{TEXTS[0]}")
    found = collection.query(query_embeddings=[vector * 3], n_results=1, include=["metadatas", "distances"])
    assert found["distances"][0][0] == pytest.approx(0, abs=1e-6), "cosine does not mind lengths"
    assert found["metadatas"][0][0] == {"source": "a.jsonl#7:1-2"}
    assert collection.get(where={"source": "a.jsonl#7:1-2"})["ids"] == found["ids"][0]
    SharedSystemClient.clear_system_cache()


def test_a_projection_is_what_its_protocol_says(make: Make) -> None:
    store: Projection = make("store")
    assert store.form
    store.close()
    store.close()
