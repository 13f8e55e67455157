"""Who is shown which key, and that nobody else ever sees one."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

import pytest

from ragcli.errors import ModelUnavailable, UsageError
from ragcli.service.addresses import SERVICES, parse_spec
from ragcli.service.keys import EMBED_KEY, LLM_KEY, NO_KEY, Key, find_key

KEY = "sk-secret-0123456789abcdef"
EVERY = {name: f"key-of-{name}" for service in SERVICES.values() for name in service.keys}
HOSTED = [name for name, service in SERVICES.items() if service.url and not service.local]


@pytest.mark.parametrize("name", HOSTED)
def test_each_service_sees_its_own_key_alone(name: str) -> None:
    found = find_key(parse_spec(f"{name}:m", EVERY), LLM_KEY, environment=EVERY)
    assert found.value == f"key-of-{SERVICES[name].keys[0]}"


def test_an_address_sees_none_that_was_made_for_a_service() -> None:
    for spec in ("http://127.0.0.1:1/v1#m", "https://api.example.org/v1#m"):
        address = parse_spec(spec, EVERY)
        assert find_key(address, LLM_KEY, environment=EVERY) is NO_KEY
        assert find_key(address, LLM_KEY, environment={**EVERY, LLM_KEY: "mine"}).value == "mine"


def test_the_users_word_comes_first_unless_a_file_chose_the_service() -> None:
    both = {"OPENAI_API_KEY": "of-openai", LLM_KEY: "for-chats", EMBED_KEY: "for-vectors"}
    address = parse_spec("openai:m", both)
    assert find_key(address, LLM_KEY, environment=both).value == "for-chats"
    assert find_key(address, EMBED_KEY, environment=both).value == "for-vectors"
    assert find_key(address, LLM_KEY, chosen=False, environment=both).value == "of-openai"


def keyring(tmp_path: Path, code: str) -> str:
    script = tmp_path / "keyring.py"
    script.write_text(code, "utf-8")
    return f"{shlex.join([sys.executable, str(script)])} {{service}}"


def test_a_keyring_is_asked_for_the_service(tmp_path: Path) -> None:
    command = keyring(tmp_path, "import sys; print('key-for-' + sys.argv[1]); print('and more')")
    found = find_key(parse_spec("mistral:m", {}), LLM_KEY, command=command, environment={})
    assert (found.value, found.source) == ("key-for-mistral", "key_command")
    found = find_key(parse_spec("https://api.example.org/v1#m", {}), LLM_KEY, command=command, environment={})
    assert found.value == "key-for-api.example.org"
    assert find_key(parse_spec("ollama:m", {}), LLM_KEY, command=command, environment={}) is NO_KEY


@pytest.mark.parametrize("code", ["import sys; sys.exit('no such key')", "print()"])
def test_a_keyring_that_knows_none(tmp_path: Path, code: str) -> None:
    with pytest.raises(ModelUnavailable, match="set MISTRAL_API_KEY, or look at key_command"):
        find_key(parse_spec("mistral:m", {}), LLM_KEY, command=keyring(tmp_path, code), environment={})


def test_a_keyring_that_cannot_be_run() -> None:
    with pytest.raises(UsageError, match="key_command cannot be run"):
        find_key(parse_spec("mistral:m", {}), LLM_KEY, command="no-such-program {service}", environment={})


@pytest.mark.parametrize("value", ["two words", "ключ-который", "a\x1bb", "a\nb: c"])
def test_what_cannot_stand_in_a_header_is_no_key_and_is_not_shown(value: str) -> None:
    with pytest.raises(UsageError, match="OPENAI_API_KEY holds no key") as caught:
        find_key(parse_spec("openai:m", {}), LLM_KEY, environment={"OPENAI_API_KEY": value})
    assert value not in str(caught.value)


def test_a_key_shows_itself_to_nobody() -> None:
    key = Key(KEY, "X")
    assert KEY not in f"{key} {key!r}"
    hidden = key.hide(f"Incorrect key: {KEY}, or '{KEY[:12]}' or ({KEY[9:]})")
    assert hidden == "Incorrect key: …, or '…' or (…)"
