"""Each service's own way of asking and answering, over a real socket."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from ragcli.embed import ServiceEmbedder, Terms, open_embedder
from ragcli.errors import ModelUnavailable, UsageError

from .server import Server, serving, vector_of

# Spec, the variable that names the address and what follows it there, where the key is looked for
# and shown, the path that is asked, and what is sent of a document and a question.
SERVICES: dict[str, tuple[str, str, str, str, tuple[str, str], str, dict[str, Any], dict[str, Any]]] = {
    "openai": (
        "openai:text-embedding-3-small", "OPENAI_BASE_URL", "/v1", "OPENAI_API_KEY",
        ("Authorization", "Bearer {}"), "/v1/embeddings",
        {"model": "text-embedding-3-small", "input": ["a b"], "encoding_format": "float"},
        {"model": "text-embedding-3-small", "input": ["a b"], "encoding_format": "float"},
    ),
    "azure": (
        "azure:mine", "AZURE_OPENAI_ENDPOINT", "", "AZURE_OPENAI_API_KEY", ("api-key", "{}"), "/openai/v1/embeddings",
        {"model": "mine", "input": ["a b"], "encoding_format": "float"},
        {"model": "mine", "input": ["a b"], "encoding_format": "float"},
    ),
    "cohere": (
        "cohere:embed-v4.0", "CO_API_URL", "", "CO_API_KEY", ("Authorization", "Bearer {}"), "/v2/embed",
        {"model": "embed-v4.0", "texts": ["a b"], "input_type": "search_document", "embedding_types": ["float"],
         "truncate": "NONE"},
        {"model": "embed-v4.0", "texts": ["a b"], "input_type": "search_query", "embedding_types": ["float"],
         "truncate": "NONE"},
    ),
    "voyage": (
        "voyage:voyage-3.5", "VOYAGE_BASE_URL", "/v1", "VOYAGE_API_KEY", ("Authorization", "Bearer {}"),
        "/v1/embeddings",
        {"model": "voyage-3.5", "input": ["a b"], "input_type": "document", "truncation": False},
        {"model": "voyage-3.5", "input": ["a b"], "input_type": "query", "truncation": False},
    ),
    "ollama": (
        "ollama:nomic-embed-text", "OLLAMA_HOST", "", "OLLAMA_API_KEY", ("Authorization", "Bearer {}"), "/api/embed",
        {"model": "nomic-embed-text", "input": ["a b"], "truncate": False},
        {"model": "nomic-embed-text", "input": ["a b"], "truncate": False},
    ),
}  # fmt: skip
KEY = "sk-only-for-this-test-0123456789"


@pytest.mark.parametrize("name", SERVICES)
def test_each_service_is_asked_in_its_own_way(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    spec, variable, ending, key, (header, form), path, document, question = SERVICES[name]
    with serving() as server:
        monkeypatch.setenv(variable, f"http://127.0.0.1:{server.server_port}{ending}")
        monkeypatch.setenv(key, KEY)
        embedder = open_embedder(spec, offline=False)
        vectors = embedder.embed_documents(["a b"])
        alone = embedder.embed_queries(["a b"])[0]
        several = embedder.embed_documents(["c d", "e", "a b"])
    assert [request[0] for request in server.requests] == [path] * 3
    assert [body for _, _, body in server.requests][:2] == [document, question]
    assert {request[1].get(header) for request in server.requests} == {form.format(KEY)}
    expected = np.array(vector_of("a b"), dtype=np.float32)
    assert np.allclose(vectors[0], expected / np.linalg.norm(expected), atol=1e-6)
    assert np.allclose(vectors[0], alone)
    assert np.allclose(several[2], alone)
    assert vectors.dtype == np.float32
    assert np.allclose(np.linalg.norm(several, axis=1), 1)
    assert embedder.signature.endswith(":32d:unit")
    assert "127.0.0.1" in embedder.signature
    assert isinstance(embedder, ServiceEmbedder)
    assert embedder.spent == 2 + 5


def test_another_model_or_host_or_length_has_another_signature() -> None:
    with serving() as server:
        url = server.url
        same = open_embedder(f"{url}#m", offline=False).signature
        assert open_embedder(f"{url}#m", offline=False).signature == same
        assert open_embedder(f"{url}#n", offline=False).signature != same
        assert open_embedder(f"{url.replace('127.0.0.1', 'localhost')}#m", offline=False).signature != same
        fewer = open_embedder(f"{url}#m", offline=False, dims=8)
        assert fewer.signature != same
        assert fewer.dimensions == 8
        assert np.allclose(np.linalg.norm(fewer.embed_documents(["a b", "c"]), axis=1), 1)


def test_an_index_that_knows_the_length_need_not_ask_for_it() -> None:
    with serving() as server:
        embedder = open_embedder(f"{server.url}#m", offline=False, expected=32)
        assert embedder.dimensions == 32
        assert embedder.signature.endswith(":32d:unit")
        assert server.requests == []
        with pytest.raises(ModelUnavailable, match="vectors of 32 dimensions, 31 were expected"):
            open_embedder(f"{server.url}#m", offline=False, expected=31).embed_queries(["a"])[0]


@pytest.mark.parametrize("spec", ["openai:m", "ollama:m", "http://127.0.0.1:1/v1#m", "cohere:m", "voyage:m"])
def test_offline_nothing_is_asked(spec: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_API_KEY", "CO_API_KEY", "VOYAGE_API_KEY"):
        monkeypatch.setenv(name, KEY)
    with pytest.raises(UsageError, match="--offline opens no connection"):
        open_embedder(spec, offline=True)


@pytest.mark.parametrize(
    "spec", ["openai:", "http://127.0.0.1:1/v1", "http://me:secret@h/v1#m", "anthropic:m"]
)
def test_a_spec_that_cannot_be_meant_is_refused(spec: str) -> None:
    with pytest.raises(UsageError) as told:
        open_embedder(spec, offline=False)
    assert "secret" not in str(told.value)


def test_a_service_at_its_own_address_needs_a_key() -> None:
    with pytest.raises(ModelUnavailable, match="openai needs a key; set OPENAI_API_KEY"):
        open_embedder("openai:text-embedding-3-small", offline=False)


def test_a_strangers_address_is_shown_no_key_of_the_users(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAG_EMBED_KEY", KEY)
    with serving() as server:
        open_embedder(f"{server.url}#m", offline=False, terms=Terms(chosen=False)).embed_queries(["a"])[0]
        open_embedder(f"{server.url}#m", offline=False).embed_queries(["a"])[0]
    assert [headers.get("Authorization") for _, headers, _ in server.requests] == [None, f"Bearer {KEY}"]


def served(server: Server, **terms: Any) -> ServiceEmbedder:
    """The server's model, impatient."""
    embedder = open_embedder(f"{server.url}#m", offline=False, terms=Terms(**{"patience": 0.0, **terms}))
    assert isinstance(embedder, ServiceEmbedder)
    return embedder
