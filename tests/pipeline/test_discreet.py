"""A question that is sent to be worded anew goes without its secrets, and comes back with them."""

from __future__ import annotations

from collections.abc import Iterator

from ragcli.pipeline.llm import Discreet
from ragcli.types import Prompt

TOKEN = "ghp_" + "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8"


class Parrot:
    """Says what it was told, a letter at a time."""

    name = "parrot"
    usage: dict[str, float] = {}  # noqa: RUF012
    truncated = False

    def __init__(self) -> None:
        self.told = ""

    def stream(self, prompt: Prompt) -> Iterator[str]:
        self.told = prompt.user
        yield from prompt.user


def test_secrets_stay_here_and_the_reply_has_them() -> None:
    parrot = Parrot()
    asked = f"Who made the token {TOKEN}?"
    reply = "".join(Discreet(parrot).stream(Prompt(asked, "", "", asked, (), 0, exact=False)))
    assert TOKEN not in parrot.told
    assert "token [secret:" in parrot.told
    assert reply == asked
