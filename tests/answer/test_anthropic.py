"""Both protocols, in every way that servers misbehave: one message each, and nothing that came is lost."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from ragcli.answer import generator_for
from ragcli.answer.anthropic import AnthropicChat
from ragcli.answer.chat import Chat, Limits
from ragcli.answer.openai import OpenAIChat
from ragcli.errors import ModelUnavailable
from ragcli.service.addresses import SERVICES, Address
from ragcli.service.keys import Key
from ragcli.service.prices import Price

from . import server as play
from .samples import make_prompt
from .server import Act, Breaks, Late, Refuses, Server, Streams, serving

KEY = "sk-secret-0123456789abcdef"
GOOD = Streams(("The tower ", "is 330 metres", " tall [1]."), cached=4)
PROMPT = make_prompt()
Make = Callable[..., Chat]


@pytest.fixture(params=["openai", "anthropic", "azure"])
def talk(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Make:
    """Makes a chat with a server in one of the protocols."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")

    def make(server: Server, *, first: float = 30.0, stall: float = 30.0, most: int | None = None) -> Chat:
        service = SERVICES[request.param]
        url = server.url if request.param == "openai" else server.url.removesuffix("/v1")
        address = Address(f"{service.name}:m", service, url, "m", own=False)
        kind = AnthropicChat if service.speaks == "anthropic" else OpenAIChat
        return kind(
            address, Key(KEY, "X"), Limits(first, stall), most, Price(2.0, 10.0), sleep=lambda _: None
        )

    return make


def failed(chat: Chat) -> tuple[str, str]:
    """What came, and the message of the failure."""
    came: list[str] = []
    with pytest.raises(ModelUnavailable) as caught:
        came.extend(chat.stream(PROMPT))
    message = str(caught.value)
    assert KEY not in message
    assert "\n" not in message
    return "".join(came), message.replace(chat.host, "HOST")


def test_streams_counts_and_names_the_cost(talk: Make) -> None:
    with serving(GOOD) as server:
        chat = talk(server)
        assert "".join(chat.stream(PROMPT)) == "The tower is 330 metres tall [1]."
        assert dict(chat.usage) == {**play.USAGE, "cached_tokens": 4, "cost": (2.0 * 11 + 10.0 * 7) / 1e6}
        assert KEY in server.keys[0] + str(server.headers[0])
        sent = {name.lower() for name in server.headers[0]}
        assert not {name for name in sent if name.startswith(("x-stainless", "openai-"))}


def test_the_system_prompt_goes_where_the_protocol_wants_it(talk: Make) -> None:
    with serving(GOOD) as server:
        chat = talk(server, most=99)
        list(chat.stream(PROMPT))
        [request] = server.requests
        if isinstance(chat, AnthropicChat):
            assert (request["system"], request["max_tokens"]) == (PROMPT.system, 99)
            assert [message["role"] for message in request["messages"]] == ["user"]
        else:
            assert request["max_completion_tokens"] == 99
            assert request["messages"][0]["content"] == PROMPT.system
        if chat.address.service.name == "azure":
            assert server.paths[0].startswith("/openai/deployments/m/chat/completions?api-version=")


def test_the_limit_of_an_answer_is_told(talk: Make) -> None:
    with serving(Streams(("Half an",), finish="length")) as server:
        chat = talk(server)
        assert list(chat.stream(PROMPT)) == ["Half an"]
        assert chat.truncated


@pytest.mark.parametrize(
    ("act", "came", "says", "asked"),
    [
        (Refuses(401, f"no such key {KEY}"), "", "HOST refused the key; set ", 1),
        (Refuses(403, f"not for {KEY[:14]}"), "", "HOST refused the key; set ", 1),
        (Refuses(404, "no m"), "", "HOST has no model m or no chat at http://", 1),
        (Refuses(429, f"slow down {KEY}"), "", "HOST has had too many requests: slow down …", 3),
        (
            Refuses(429, "slow", {"Retry_After": "3600"}),
            "",
            "HOST has had too many requests: slow; it asks to wait 3600 s, try again then",
            1,
        ),
        (Refuses(500, "out of order"), "", "HOST answered 500: out of order", 3),
        (Refuses(529, "Overloaded", code="overloaded_error"), "", "HOST answered 529: Overloaded", 3),
        (Refuses(307, headers={"Location": "http://127.0.0.1:1/v1"}), "", "HOST answered 307: it sends", 1),
        (Refuses(400, "prompt is too long: 9 tokens > 8 maximum"), "", "the prompt is too long for m; give", None),
        (Refuses(400, "x", code="context_length_exceeded"), "", "the prompt is too long for m; give", None),
        (Refuses(413, "too big"), "", "the prompt is too long for m; give a smaller --budget", 1),
        (Streams(("I",), finish="content_filter"), "I", "HOST stopped the answer: ", 1),
        (Streams(("Half an",), finish=None), "Half an", "HOST ended the stream in mid-answer; the answer broke", 1),
        (Streams((), finish=None), "", "", 1),
        (play.breaks_off, "Half an", "HOST closed the connection before the answer's end; the answer broke off", 1),
        (play.hangs_up, "", "HOST", 3),
        (play.never_ends_a_line, "", "HOST sent an event of more than 16 MiB", 1),
        (Breaks("worn out", ("Half",)), "Half", "HOST reports: worn out; the answer broke off", 1),
        (play.raw("data: {not json\n\n"), "", "", 1),
        (play.raw("<html>hello</html>", "text/html"), "", "HOST answered with text/html and no stream; is", 1),
        (play.raw("", "text/event-stream"), "", "HOST sent an empty stream", 1),
    ],
)  # fmt: skip
def test_each_failure_has_its_message(talk: Make, act: Act, came: str, says: str, asked: int | None) -> None:
    with serving(act) as server:
        got, message = failed(talk(server))
        assert got == came
        assert message.startswith(says)
        assert asked is None or len(server.requests) == asked


@pytest.mark.parametrize("act", [Refuses(500), Refuses(429), play.hangs_up])
def test_a_failure_before_the_first_word_is_tried_again(talk: Make, act: Act) -> None:
    with serving(act, GOOD) as server:
        assert "".join(talk(server).stream(PROMPT)).endswith("[1].")


@pytest.mark.parametrize("act", [play.silent, play.thinks])
def test_the_first_word_has_a_time_of_its_own(talk: Make, act: Act) -> None:
    with serving(act) as server:
        assert failed(talk(server, first=0.4)) == ("", "HOST sent nothing for 0.4 s")
    with serving(Late(0.4, GOOD)) as server:  # a stall is counted from the first word
        assert "".join(talk(server, stall=0.3).stream(PROMPT)).startswith("The tower")


def test_a_stall_keeps_what_came(talk: Make) -> None:
    with serving(play.stalls) as server:
        came, message = failed(talk(server, stall=0.3))
        assert (came, message) == ("Two words", "HOST sent nothing for 0.3 s; the answer broke off")


def test_closing_hangs_up(talk: Make) -> None:
    with serving(play.babbles) as server:
        pieces = talk(server).stream(PROMPT)
        next(pieces)
        pieces.close()  # type: ignore[attr-defined]
        assert server.hung_up.wait(30)


def test_an_overload_told_within_the_stream_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("ANTHROPIC_API_KEY", KEY)
    with serving(Breaks("Overloaded", code="overloaded_error"), GOOD) as server:
        monkeypatch.setenv("ANTHROPIC_BASE_URL", server.url.removesuffix("/v1"))
        chat = generator_for("anthropic:claude")
        assert isinstance(chat, AnthropicChat)
        chat.sleep = lambda _: None
        assert "".join(chat.stream(PROMPT)).endswith("[1].")
        assert len(server.requests) == 2
