"""Secrets: which are known, what is taken for none, and that a mask leaves nothing of them."""

from __future__ import annotations

import string

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from ragcli.guard import Masking, find_secrets

LETTERS = string.ascii_letters + string.digits
BASE32 = string.ascii_uppercase + "234567"


def drawn(count: int, alphabet: str = LETTERS, seed: int = 7) -> str:
    """Characters that look drawn by lot, the same each time: no test file holds a token as it stands."""
    state, out = seed, []
    for _ in range(count):
        state = (state * 6364136223846793005 + 1442695040888963407) % 2**64
        out.append(alphabet[(state >> 33) % len(alphabet)])
    return "".join(out)


PEM = "\n".join(drawn(64, seed=row) for row in range(12))
SECRETS = {
    "aws-access-key": "AKIA" + drawn(16, BASE32),
    "aws-secret-key": drawn(40),
    "github-token": "ghp_" + drawn(36),
    "gitlab-token": "glpat-" + drawn(20),
    "slack-token": f"xoxb-{drawn(12, string.digits)}-{drawn(13, string.digits)}-{drawn(24)}",
    "openai-key": "sk-proj-" + drawn(60),
    "anthropic-key": "sk-ant-api03-" + drawn(90),
    "google-key": "AIza" + drawn(35),
    "stripe-key": "sk_live_" + drawn(24),
    "huggingface-token": "hf_" + drawn(36, string.ascii_letters),
    "npm-token": "npm_" + drawn(36),
    "pypi-token": "pypi-AgE" + drawn(80),
    "jwt": f"eyJ{drawn(30)}.eyJ{drawn(60)}.{drawn(43)}",
    "private-key": f"-----BEGIN RSA PRIVATE KEY-----\n{PEM}\nab=\n-----END RSA PRIVATE KEY-----",
    "password": "Tr0ub4dor&3",
    "key": drawn(32, "0123456789abcdef"),
    "bearer-token": drawn(40),
    "slack-webhook": f"T{drawn(8)}/B{drawn(8)}/{drawn(24)}",
}
SETTINGS = {
    "aws-secret-key": "aws_secret_access_key = {}",
    "password": "password: {}",
    "key": 'API_KEY="{}"',
    "bearer-token": "Authorization: Bearer {}",
    "slack-webhook": "https://hooks.slack.com/services/{}",
}


@pytest.mark.parametrize("kind", SECRETS)
def test_each_kind_is_found_where_it_stands(kind: str) -> None:
    secret = SECRETS[kind]
    text = "Among words: " + SETTINGS.get(kind, "{}").format(secret) + " and so on."
    [found] = find_secrets(text)
    assert (found.kind, text[found.start : found.end]) == (kind, secret)


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("postgres://admin:s3cr3tPw@db.internal:5432/x", "s3cr3tPw"),
        ("密码：Qx82!kd93z", "Qx82!kd93z"),
        ("DB_PASSWORD=pG7$kd02Lw", "pG7$kd02Lw"),
        ("{'clientSecret': '8Q~" + drawn(30) + "'}", "8Q~" + drawn(30)),
        ("password is hunter2!x9, he said", None),
        ("the password is: hunter2!x9, he said", None),
        ('"private_key": "-----BEGIN PRIVATE KEY-----\\n' + drawn(64) + '\\n-----END PRIVATE KEY-----\\n"',
         "-----BEGIN PRIVATE KEY-----\\n" + drawn(64) + "\\n-----END PRIVATE KEY-----"),
        ("-----BEGIN PRIVATE KEY-----\n" + PEM, "-----BEGIN PRIVATE KEY-----\n" + PEM),
    ],
)  # fmt: skip
def test_assignments(text: str, secret: str | None) -> None:
    assert [text[found.start : found.end] for found in find_secrets(text)] == ([secret] if secret else [])


PASSWORD = "Tr0ub4dor&3"


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        (f"Host | db.internal\nPassword | {PASSWORD}", ["password"]),
        (f"| API key | `{PASSWORD}` |\n", ["key"]),
        (f"| user | password |\n|---|---|\n| anna | {PASSWORD} |\n| ben | Qx82!kd93z |", ["password"] * 2),
        (f"user | DB password\nanna | {PASSWORD}\n\nben | Qx82!kd93z", ["password"]),
        (f"用户 | 密码\nanna | {PASSWORD}", ["password"]),
        (f"Password | {PASSWORD}\nS3-Bucket1x | eu", ["password"]),
        (f"<db><password>{PASSWORD}</password></db>", ["password"]),
        (f'<d:apiKey env="live">{PASSWORD}</d:apiKey>', ["key"]),
        (f'<add key="ApiPassword" value="{PASSWORD}"/>', ["password"]),
        (f"appSettings: add / key: ApiPassword; add / value: {PASSWORD}", ["password"]),
    ],
)  # fmt: skip
def test_tables_and_elements(text: str, kinds: list[str]) -> None:
    found = find_secrets(text)
    assert [secret.kind for secret in found] == kinds
    assert text[found[0].start : found[0].end] == PASSWORD


@pytest.mark.parametrize("sign", ["\u200b", "\u2060", "\ufeff", "\u00ad", "\u200d\u200c"], ids=ascii)
def test_what_cannot_be_seen_hides_nothing(sign: str) -> None:
    token = "ghp_" + drawn(36)
    for text in (
        f"温{sign}室 {token[:9]}{sign}{token[9:]}{sign} 等",
        f"pass{sign}word{sign}: {sign}{PASSWORD[:3]}{sign}{PASSWORD[3:]}{sign}, {sign}ok",
    ):
        [found] = find_secrets(text)
        value = text[found.start : found.end]
        assert value.replace(sign, "") in (token, PASSWORD)
        assert value[0] + value[-1] in (token[0] + token[-1], PASSWORD[0] + PASSWORD[-1])
        masked = Masking().mask(text)
        assert masked.startswith(text[: found.start])
        assert masked.endswith(text[found.end :])
        assert find_secrets(masked) == ()


@pytest.mark.parametrize(
    "text",
    [
        "| token | sha256sum |\n|---|---|\n| string | twelve12x! |", "| pass | a1b2c3d4e5 |", "password | string",
        "tokens | a1b2c3d4e5", "field password | E1043-b2 of 12", "reset it if the password | E1043-b2x",
        "| key | value |\n|---|---|\n| rate12 | 3f2a9c1b77 |", "token |\n\nE1043-b2x |",
        "| token | probability\n| {tokenizer.decode(tok):8s} | {tok}",
        '<span class="token number">0x1F2e3D4c</span>', "<password>my_password</password>", "<token>E1043-b2x",
        "password = get_password()", "password: must contain eight letters", "token = tokens[3]",
        "api_key = os.environ['API_KEY2']", "password: ********", "api_key: your-api-key-here1", "secret: ${SECRET_12}",
        "AKIAIOSFODNN7EXAMPLE", "ghp_" + "x" * 36, "http://user:password@host/", "key: value1234", "token: string",
        "https://example.com:8080/a@b", "[secret:github-token:1]", "sorted(pairs, key=lambda x1: x1[1])",
        "password=None, token=request.token2", "Bearer authentication is used by the service",
        "sk-learn-contrib-something-very-long-name", "access key: Ctrl+Alt+F12", "passed: 12/25/2020 14:30",
        'aws_session_token="<session_token1>"', "token: 2026-11-21T10:00:00Z", "key: KEY_NUMBER_12",
        "secret: ./path/to/f1",
        "-----BEGIN PUBLIC KEY-----\nMIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIB\n-----END PUBLIC KEY-----",
        "-----BEGIN RSA PRIVATE KEY-----\n...\n-----END RSA PRIVATE KEY-----", "tokens: 1234 of 5678a",
        "sha256 e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", "密码：至少八位，包含数字123",
    ],
)  # fmt: skip
def test_what_only_looks_like_one(text: str) -> None:
    assert find_secrets(text) == ()


def secret_texts() -> st.SearchStrategy[str]:
    held = [SETTINGS.get(kind, "{}").format(value) for kind, value in SECRETS.items()]
    return st.lists(st.one_of(st.sampled_from(held), st.text(max_size=30)), max_size=8).map(" ".join)


@given(secret_texts(), secret_texts())
def test_a_mask_leaves_nothing_of_what_was_found(one: str, other: str) -> None:
    values = {text[found.start : found.end] for text in (one, other) for found in find_secrets(text)}
    masking = Masking()
    masking.learn(one)
    masking.learn(other)
    for text in (one, other):
        told = masking.mask(text)
        assert not [value for value in values if len(value) >= 8 and value in told]
        assert told.count("\n") == text.count("\n")
        assert find_secrets(told) == ()


@given(st.sampled_from(sorted(SECRETS)), st.integers(0, 2000), st.integers(0, 2000))
def test_a_part_holds_no_piece_of_a_secret(kind: str, start: int, length: int) -> None:
    text = "Before. " + SETTINGS.get(kind, "{}").format(SECRETS[kind]) + " Behind it."
    secrets = find_secrets(text)
    assume(start < len(text))
    end = min(len(text), start + length)
    told = Masking().mask_part(text, start, end, secrets)
    [secret] = secrets
    piece = text[max(start, secret.start) : min(end, secret.end)]
    assert not (len(piece) >= 4 and piece in told)


def test_the_same_secret_is_called_the_same() -> None:
    one, other = "ghp_" + drawn(36), "ghp_" + drawn(36, seed=8)
    masking = Masking()
    assert masking.mask(f"{one} {other} {one}") == (
        "[secret:github-token:1] [secret:github-token:2] [secret:github-token:1]"
    )
    assert masking.mask(f"again {other}") == "again [secret:github-token:2]"
    assert masking.kinds == {"github-token": 2}


@pytest.mark.parametrize(
    "unit",
    [
        "password", "password=", "password: a1", "key", "api_key=", "://", "://a:", "://a:b", "-----BEGIN ",
        "-----BEGIN PRIVATE KEY-----", "-----BEGIN RSA PRIVATE KEY-----\n" + "A" * 64 + "\n", "eyJ", "eyJaaaaaaaaa.",
        "xoxb-", "xoxb-1-", "a-", "A" * 64, "Bearer ", "bearer a", "authorization: ", "sk-", "ghp_", "密码：",
        "hooks.slack.com/services/", "=", "A: \n", "\\n",
    ],
)  # fmt: skip
def test_long_repetitions_are_read_once(unit: str) -> None:
    """A search that was not linear in the text would not end while anybody waits."""
    text = unit * (40_000 // len(unit))
    assert all(0 <= found.start < found.end <= len(text) for found in find_secrets(text))
