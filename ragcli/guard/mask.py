"""Secrets replaced by placeholders, each always by the same one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from ragcli.guard.secrets import Secret, find_secrets

# A shorter one is replaced where it was found and not wherever its letters stand.
_SURE = 8


class Masking:
    """Masks texts that go out together: of a secret every one of them has the same placeholder."""

    def __init__(self) -> None:
        self._names: dict[str, str] = {}
        self._counts: Counter[str] = Counter()

    @property
    def kinds(self) -> Counter[str]:
        """How many different secrets of each kind were met."""
        return self._counts.copy()

    def learn(self, text: str, secrets: Sequence[Secret] | None = None) -> None:
        """Know the secrets of ``text``, so that they are replaced wherever they stand."""
        for secret in find_secrets(text) if secrets is None else secrets:
            self._name(secret.kind, text[secret.start : secret.end])

    def mask(self, text: str) -> str:
        """``text`` with its secrets, and those met before, as ``[secret:github-token:1]``.

        It has as many lines as it had.
        """
        return self.mask_part(text, 0, len(text), find_secrets(text))

    def mask_part(self, text: str, start: int, end: int, secrets: Sequence[Secret]) -> str:
        """``text[start:end]`` masked; ``secrets`` are those of ``text``, and may begin and end outside."""
        parts: list[str] = []
        at = start
        for secret in secrets:
            if secret.end <= start or secret.start >= end:
                continue
            name = self._name(secret.kind, text[secret.start : secret.end])
            within = text[max(start, secret.start) : min(end, secret.end)]
            parts += [self._known(text[at : max(start, secret.start)]), name, "\n" * within.count("\n")]
            at = min(end, secret.end)
        parts.append(self._known(text[at:end]))
        return "".join(parts)

    def restore(self, text: str) -> str:
        """``text`` with the secrets that its placeholders stand for."""
        for value, name in self._names.items():
            text = text.replace(name, value)
        return text

    def _known(self, text: str) -> str:
        """``text`` without what is known already."""
        for value, name in self._names.items():
            if len(value) >= _SURE and value in text:
                text = text.replace(value, name + "\n" * value.count("\n"))
        return text

    def _name(self, kind: str, value: str) -> str:
        if value not in self._names:
            self._counts[kind] += 1
            self._names[value] = f"[secret:{kind}:{self._counts[kind]}]"
        return self._names[value]
