"""A chat server that answers in every way servers do, over real sockets."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from ragcli.answer import answer_with, generator_for
from ragcli.answer.chat import Chat, Limits
from ragcli.answer.openai import OpenAIChat
from ragcli.errors import ModelUnavailable, UsageError
from ragcli.service.addresses import parse_spec
from ragcli.service.keys import Key

from . import server as play
from .samples import make_prompt
from .server import Refuses, Streams, serving

KEY = "sk-secret-0123456789abcdef"
GOOD = Streams(("The tower ", "is 330 metres", " tall [1]."))
PROMPT = make_prompt()


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (
        "RAG_LLM_KEY",
        "OPENAI_API_KEY",
        "OPENAI_BASE_URL",
        "OLLAMA_HOST",
        "HTTP_PROXY",
        "http_proxy",
        "ALL_PROXY",
    ):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


def chat(url: str, waits: list[float] | None = None, *, first: float = 5.0, stall: float = 5.0) -> Chat:
    sleep = waits.append if waits is not None else (lambda _: None)
    key = Key(KEY, "RAG_LLM_KEY")
    return OpenAIChat(parse_spec(f"{url}#m"), key, Limits(first, stall), sleep=sleep)


def failure(generator: Chat, got: list[str] | None = None) -> str:
    """The message of a stream that fails: one short line without the key."""
    pieces = got if got is not None else []
    with pytest.raises(ModelUnavailable) as caught:
        pieces.extend(generator.stream(PROMPT))
    message = str(caught.value)
    assert "\n" not in message
    assert "\x1b" not in message
    assert KEY not in message
    assert len(message) < 420
    assert caught.value.exit_code == 7
    return message


def test_streams_and_counts() -> None:
    with serving(GOOD) as server:
        generator = chat(server.url)
        assert list(generator.stream(PROMPT)) == list(GOOD.pieces)
        assert generator.usage == play.USAGE
        assert not generator.truncated
        sent = server.requests[0]
        assert sent["stream"] is True
        assert sent["temperature"] == 0
        assert [message["role"] for message in sent["messages"]] == ["system", "user"]
        assert sent["messages"][1]["content"] == PROMPT.user
        assert server.keys == [f"Bearer {KEY}"]
        assert KEY not in repr(generator)


def test_the_whole_way_to_an_answer() -> None:
    tokens: list[str] = []
    with serving(
        Streams(("<think>h[7]mm</think>", "\x1b[31mThe mean is ", "-2.5 degrees [2", "][9", "]."))
    ) as server:
        answer = answer_with(chat(server.url), PROMPT, [PROMPT.sources[0].hit], tokens.append)
    assert "".join(tokens) == answer.text == "The mean is -2.5 degrees [2]."
    assert answer.answered
    assert [(c.n, c.verified, c.quote, c.lines) for c in answer.citations] == [
        (2, True, "The mean is -2.5 degrees", (13, 13))
    ]
    assert answer.usage["total_tokens"] == 18
    assert answer.hits == (PROMPT.sources[0].hit,)


def test_no_usage_is_no_error() -> None:
    with serving(Streams(("Hi",), usage=None)) as server:
        generator = chat(server.url)
        assert list(generator.stream(PROMPT)) == ["Hi"]
        assert generator.usage == {}


def test_a_second_stream_starts_afresh() -> None:
    with serving(Streams(("Hi",), finish="length"), Streams(("Ho",), usage=None)) as server:
        generator = chat(server.url)
        assert list(generator.stream(PROMPT)) == ["Hi"]
        assert generator.truncated
        assert list(generator.stream(PROMPT)) == ["Ho"]
        assert not generator.truncated
        assert generator.usage == {}


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_key_is_not_tried_again(status: int) -> None:
    with serving(Refuses(status, f"Incorrect API key provided: {KEY}")) as server:
        message = failure(chat(server.url))
        assert "refused the key; set RAG_LLM_KEY" in message
        assert len(server.requests) == 1


def test_429_with_retry_after_then_right() -> None:
    waits: list[float] = []
    with serving(Refuses(429, headers={"Retry_After": "7"}), GOOD) as server:
        assert list(chat(server.url, waits).stream(PROMPT)) == list(GOOD.pieces)
    assert waits == [7.0]


def test_retry_after_may_be_a_date() -> None:
    waits: list[float] = []
    then = format_datetime(datetime.now(UTC) + timedelta(seconds=20), usegmt=True)
    with serving(Refuses(503, headers={"Retry_After": then}), GOOD) as server:
        list(chat(server.url, waits).stream(PROMPT))
    assert 15 < waits[0] <= 20


@pytest.mark.parametrize("value", ["soon", "-5", "nan", ""])
def test_an_odd_retry_after_falls_back_to_ours(value: str) -> None:
    waits: list[float] = []
    with serving(Refuses(429, headers={"Retry_After": value}), GOOD) as server:
        list(chat(server.url, waits).stream(PROMPT))
    assert 0.5 <= waits[0] <= 1.0


def test_429_always_gives_up_after_three_tries() -> None:
    waits: list[float] = []
    with serving(Refuses(429, "slow down\x1b[31m\nplease")) as server:
        assert "too many requests: slow down please" in failure(chat(server.url, waits))
        assert len(server.requests) == 3
    assert len(waits) == 2
    assert 0.5 <= waits[0] <= 1.0 <= waits[1] <= 2.0


def test_a_wait_beyond_a_minute_is_not_begun() -> None:
    waits: list[float] = []
    with serving(Refuses(429, headers={"Retry_After": "3600"})) as server:
        assert "asks to wait 3600 s" in failure(chat(server.url, waits))
        assert len(server.requests) == 1
    assert waits == []


def test_waits_are_capped_together() -> None:
    waits: list[float] = []
    with serving(Refuses(429, headers={"Retry_After": "40"})) as server:
        failure(chat(server.url, waits))
        assert len(server.requests) == 2
    assert waits == [40.0]


def test_a_spent_quota_is_not_tried_again() -> None:
    with serving(Refuses(429, "You exceeded your quota", code="insufficient_quota")) as server:
        assert "quota" in failure(chat(server.url))
        assert len(server.requests) == 1


def test_500_then_right() -> None:
    with serving(Refuses(500), GOOD) as server:
        assert list(chat(server.url).stream(PROMPT)) == list(GOOD.pieces)


def test_an_interrupt_ends_the_wait() -> None:
    def interrupt(_: float) -> None:
        raise KeyboardInterrupt

    with serving(Refuses(500)) as server:
        generator = chat(server.url)
        generator.sleep = interrupt
        with pytest.raises(KeyboardInterrupt):
            list(generator.stream(PROMPT))
        assert len(server.requests) == 1


def test_404_names_model_and_address() -> None:
    with serving(Refuses(404, 'model "m" not found')) as server:
        message = failure(chat(server.url))
        assert "no model m" in message
        assert server.url in message
        assert len(server.requests) == 1


def test_a_page_of_html_is_not_dumped() -> None:
    def act(handler: play.Handler) -> None:
        handler.head(502, "text/html")
        handler.write("<html>" + "x" * 5000)

    with serving(act) as server:
        assert failure(chat(server.url)).endswith("answered 502: no reason given")


def test_options_that_a_server_refuses_are_left_out() -> None:
    with serving(
        Refuses(400, "Unsupported value: 'temperature' does not support 0"),
        Refuses(400, "unknown field"),
        GOOD,
    ) as server:
        assert list(chat(server.url).stream(PROMPT)) == list(GOOD.pieces)
        assert [sorted({"temperature", "stream_options"} & set(sent)) for sent in server.requests] == [
            ["stream_options", "temperature"],
            ["stream_options"],
            [],
        ]


def test_400_always_is_an_error_with_its_reason() -> None:
    with serving(Refuses(400, f"bad {KEY} " + "y" * 900)) as server:
        message = failure(chat(server.url))
        assert "answered 400: bad … yyy" in message
        assert len(server.requests) == 2


def test_a_prompt_too_long_names_the_budget() -> None:
    with serving(Refuses(400, "This model's maximum context length is 10 tokens")) as server:
        assert "--budget" in failure(chat(server.url))


def test_nobody_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    waits: list[float] = []
    message = failure(chat(f"http://127.0.0.1:{port}/v1", waits))
    assert message == f"cannot reach 127.0.0.1:{port} (is it running?)"
    assert len(waits) == 2


def test_stall_before_the_first_token() -> None:
    with serving(play.silent) as server:
        assert "sent nothing for 0.2 s" in failure(chat(server.url, first=0.2))
        assert len(server.requests) == 1


def test_stall_in_mid_stream_keeps_what_came() -> None:
    got: list[str] = []
    with serving(play.stalls) as server:
        message = failure(chat(server.url, stall=0.2), got)
    assert "sent nothing for 0.2 s; the answer broke off" in message
    assert got == ["Two words"]


def test_a_cut_stream_is_an_error_and_not_repeated() -> None:
    got: list[str] = []
    with serving(play.breaks_off) as server:
        assert "the answer broke off" in failure(chat(server.url), got)
        assert len(server.requests) == 1
    assert got == ["Half an"]


def test_a_stream_that_ends_early_in_good_order_broke_off() -> None:
    with serving(Streams(("Half an",), finish=None)) as server:
        assert "the answer broke off" in failure(chat(server.url))


def test_a_content_filter_is_an_error() -> None:
    with serving(Streams(("I",), finish="content_filter")) as server:
        assert "content filter" in failure(chat(server.url))


@pytest.mark.parametrize(
    ("body", "kind", "says"),
    [
        ("data: {not json\n\n", "text/event-stream", "no chat answer"),
        ("data: 5\n\n", "text/event-stream", ""),
        ('data: {"choices": 7}\n\n', "text/event-stream", ""),
        ('data: {"choices": [{"delta": "x"}]}\n\n', "text/event-stream", ""),
        ('data: {"choices": [[]]}\n\n', "text/event-stream", ""),
        ('data: {"choices": [{"delta": {"content": 5}}]}\n\n', "text/event-stream", ""),
        ("data: \x00\x1b[2J\n\n", "text/event-stream", ""),
        ("", "text/event-stream", "empty stream"),
        ("data: [DONE]\n\n", "text/event-stream", "empty stream"),
        ("<html>hello</html>", "text/html", "text/html and no stream"),
        (json.dumps({"error": {"message": "bad"}}), "application/json", "application/json and no stream"),
        (
            'data: {"error": {"message": "overloaded \\u001b[31m"}}\n\n',
            "text/event-stream",
            "reports: overloaded",
        ),
    ],
)
def test_garbage(body: str, kind: str, says: str) -> None:
    with serving(play.raw(body, kind)) as server:
        assert says in failure(chat(server.url))


def test_closing_hangs_up() -> None:
    with serving(play.babbles) as server:
        pieces = chat(server.url).stream(PROMPT)
        assert isinstance(pieces, Iterator)
        next(pieces)
        pieces.close()  # type: ignore[attr-defined]
        assert server.hung_up.wait(30)


def test_an_interrupt_of_the_reader_hangs_up() -> None:
    def interrupt(_: str) -> None:
        raise KeyboardInterrupt

    with serving(play.babbles) as server:
        with pytest.raises(KeyboardInterrupt):
            answer_with(chat(server.url), PROMPT, [], interrupt)
        assert server.hung_up.wait(30)


def test_the_specs_reach_their_servers(monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(GOOD) as server:
        monkeypatch.setenv("OPENAI_API_KEY", "of-openai-1234")
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        monkeypatch.setenv("OLLAMA_HOST", f"127.0.0.1:{server.server_port}")
        for spec in ("openai:gpt-x", "ollama:gpt-x", f"{server.url}/#gpt-x"):
            generator = generator_for(spec)
            assert generator is not None
            assert generator.name == spec
            assert "".join(generator.stream(PROMPT)).endswith("[1].")
        monkeypatch.setenv("RAG_LLM_KEY", "of-rag-12345")
        generator = generator_for(f"{server.url}#gpt-x")
        assert generator is not None
        list(generator.stream(PROMPT))
        assert [sent["model"] for sent in server.requests] == ["gpt-x"] * 4
        assert server.keys == [
            "Bearer of-openai-1234",
            "Bearer none",
            "Bearer none",  # a key for OpenAI's server is shown to no other
            "Bearer of-rag-12345",
        ]


@pytest.mark.parametrize(
    "spec", ["openai:gpt-4o", "ollama:q", "http://127.0.0.1:1/v1#m", "https://[::1]/v1#m"]
)
def test_offline_refuses_every_service(spec: str) -> None:
    with pytest.raises(UsageError, match="--offline"):
        generator_for(spec, offline=True)


@pytest.mark.parametrize(
    ("spec", "says"),
    [
        ("voyage:rerank-2", "openai:MODEL, ollama:MODEL"),
        ("gpt-4o", "no such LLM"),
        ("", "no such LLM"),
        ("openai:", "names no model"),
        ("ollama: ", "names no model"),
        ("http://host/v1", "names no model"),
        ("http://#m", "no address"),
        ("http://host:99999/v1#m", "no address"),
        ("http://[::1/v1#m", "no address"),
        ("http://me:pass@host:99999/v1#m", "no address"),
        ("http://me:pass@host/v1#m", "must not hold a password"),
        ("https://host/v1?key=abc#m", "must not hold a password"),
        ("cmd:", "names no command"),
        ("cmd:'a", "cannot be split"),
        ("cmd:no-such-program-here -x", "command not found: no-such-program-here"),
    ],
)
def test_specs_that_cannot_be_meant(spec: str, says: str) -> None:
    with pytest.raises(UsageError) as caught:
        generator_for(spec)
    assert says in str(caught.value)
    assert "pass@" not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_none_is_none_and_openai_wants_a_key() -> None:
    assert generator_for("none") is None
    assert generator_for("none", offline=True) is None
    with pytest.raises(ModelUnavailable, match="set OPENAI_API_KEY"):
        generator_for("openai:gpt-4o")
    with pytest.raises(UsageError, match="time-out"):
        generator_for("ollama:m", stall=0)


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("", "http://127.0.0.1:11434/v1"),
        ("0.0.0.0", "http://127.0.0.1:11434/v1"),
        ("box", "http://box:11434/v1"),
        ("box:5", "http://box:5/v1"),
        ("http://box", "http://box:80/v1"),
        ("https://box/ollama/", "https://box:443/ollama/v1"),
        ("[::1]:7", "http://[::1]:7/v1"),
    ],
)
def test_ollama_host_is_read_as_ollama_reads_it(monkeypatch: pytest.MonkeyPatch, host: str, url: str) -> None:
    monkeypatch.setenv("OLLAMA_HOST", host)
    generator = generator_for("ollama:m")
    assert isinstance(generator, Chat)
    assert generator.address.url == url


def test_a_server_that_stalls_is_not_waited_for() -> None:
    with serving(play.stalls) as server:
        failure(chat(server.url, stall=0.3))
