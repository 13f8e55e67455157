"""How much a local server says that its model reads."""

from __future__ import annotations

from typing import Any

import pytest

from ragcli.service.addresses import parse_spec
from ragcli.service.context import context_of

from ..answer.server import serving, silent


@pytest.mark.parametrize(
    ("spec", "pages", "tokens"),
    [
        ("URL#m", {"/v1/models": {"data": [{"id": "m", "max_model_len": 8192}, {"id": "n"}]}}, 8192),
        ("URL#m", {"/props": {"default_generation_settings": {"n_ctx": 4096}}}, 4096),
        ("URL#m", {"/v1/models": {"data": "no list"}, "/props": {"n_ctx": "many"}}, None),
        ("URL#m", {}, None),
        ("llamacpp:m", {"/props": {"n_ctx": 2048}}, 2048),
        ("ollama:m", {"/api/ps": {"models": [{"name": "m", "context_length": 16384}]}}, 16384),
        ("ollama:m", {"/api/show": {"parameters": "stop x\nnum_ctx    32768"}}, 32768),
        ("ollama:m", {"/api/show": {"model_info": {"llama.context_length": 131072}}}, 4096),
        ("lmstudio:m", {"/api/v0/models": {"data": [{"id": "m", "loaded_context_length": 9000}]}}, 9000),
    ],
)
def test_each_server_in_its_own_words(spec: str, pages: dict[str, Any], tokens: int | None) -> None:
    with serving(silent) as server:
        server.pages.update(pages)
        names = ("OLLAMA_HOST", "VLLM_BASE_URL", "LLAMACPP_BASE_URL", "LMSTUDIO_BASE_URL")
        address = parse_spec(spec.replace("URL", server.url), dict.fromkeys(names, server.url) | {
            "OLLAMA_HOST": server.url.removesuffix("/v1")
        })  # fmt: skip
        if "/api/show" in pages:
            server.pages["/api/ps"] = {"models": []}
        assert context_of(address) == tokens


def test_nobody_is_asked_who_is_far_away_or_not_there() -> None:
    assert context_of(parse_spec("openai:m", {})) is None
    assert context_of(parse_spec("http://127.0.0.1:1/v1#m", {})) is None
